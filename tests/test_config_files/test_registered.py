"""Registered types are known by their names; other names are not."""

from mmengine.registry import MODELS, TRANSFORMS

from mmreid_ext.config_files.registered import (
    KnownTypes,
    entries,
    hidden_code,
    import_registered,
    registered_scopes,
    root_registries,
)


def test_all_kinds_of_registries_are_known():
    roots = root_registries()
    assert MODELS in roots and TRANSFORMS in roots and len(roots) > 15
    assert registered_scopes() >= {"mmengine", "mmpretrain", "mmreid_ext"}


def test_names_in_short():
    import_registered()
    known = KnownTypes([MODELS])
    assert known.short_name("mmreid_ext.models.ReIDModel") == "mmreid_ext.ReIDModel"
    assert known.short_name("ResNet") == "ResNet"
    for name in ("mmreid_ext.CSVDataset", "LoadImageFromFile", "os.system", None, 3):
        assert known.short_name(name) is None
    assert KnownTypes(root_registries()).short_name("mmreid_ext.CSVDataset") is not None
    assert ("mmreid_ext", "ReIDModel") in {(r.scope, name) for r, name, _ in entries([MODELS])}


def test_arguments_that_are_executed():
    assert hidden_code("dtype", "float32") is None and hidden_code("depth", "(1)") is None
    assert "would execute" in hidden_code("dtype", "float32 or 1")
    assert "elsewhere" in hidden_code("trust_remote_code", 1)
