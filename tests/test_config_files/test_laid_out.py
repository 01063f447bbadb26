"""A configuration's text is laid out once, and again after a change."""

import pytest
from mmengine.config import Config
from mmengine.config import config as mm_config
from yapf.yapflib import yapf_api

from mmreid_ext.config_files.laid_out import _MOST, lay_out_once, layout_module


@pytest.fixture
def laid_out(monkeypatch):
    """The texts that were laid out, each time."""
    place, texts = layout_module(), []
    plain = place.FormatCode
    plain = getattr(plain, "__wrapped__", plain)

    def noted(text, **options):
        texts.append(text)
        return plain(text, **options)

    monkeypatch.setattr(place, "FormatCode", noted)
    lay_out_once()
    lay_out_once()
    return texts


def test_the_same_text_is_laid_out_once(laid_out):
    cfg = Config(dict(model=dict(type="ResNet", depth=[18, 34]), lr=0.1))
    first = cfg.pretty_text
    assert cfg.pretty_text == cfg.copy().pretty_text == first and len(laid_out) == 1
    cfg.lr = 0.2
    assert cfg.pretty_text == first.replace("0.1", "0.2") and len(laid_out) == 2


def test_another_style_is_another_layout(laid_out):
    text = "a = dict(b=1, c=2)\n"
    styles = [dict(based_on_style=name, column_limit=12) for name in ("pep8", "google")]
    for style in styles * 2:
        layout_module().FormatCode(text, style_config=style)
    assert len(laid_out) == 2


def test_few_texts_are_kept(laid_out):
    for number in (*range(_MOST + 1), _MOST, 0):
        assert Config(dict(x=number)).pretty_text == f"x = {number}\n"
    assert len(laid_out) == _MOST + 2


def test_what_cant_be_laid_out_is_no_layout(laid_out):
    for _ in range(2):
        with pytest.raises(Exception, match="invalid|syntax|unmatched"):
            layout_module().FormatCode("a = )\n", style_config="pep8")
    assert len(laid_out) == 2


def test_onedl_looks_the_function_up_in_yapf(monkeypatch):
    monkeypatch.delattr(mm_config, "FormatCode", raising=False)
    assert layout_module() is yapf_api and hasattr(yapf_api, "FormatCode")
