"""The file for Ray Serve: replicas build the application, and the configuration fits it."""

import importlib
import inspect
import sys
from types import ModuleType

import pytest
import yaml
from helpers.paths import ROOT

from mmreid_ext.deploy import app as service
from mmreid_ext.deploy.app import auth

FOLDER = ROOT / "examples" / "cluster"


class Deployment:
    """What Ray's decorators make of a class, as far as the file uses it."""

    def __init__(self, cls):
        self.cls = cls

    def bind(self):
        return self


@pytest.fixture
def ray_app(monkeypatch):
    """``examples/cluster/ray_app.py``, with stand-ins for Ray's two decorators."""

    def ingress(builder):
        return lambda cls: type(cls.__name__, (cls,), {"builder": staticmethod(builder)})

    serve, ray = ModuleType("ray.serve"), ModuleType("ray")
    serve.deployment, serve.ingress, ray.serve = Deployment, ingress, serve
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.serve", serve)
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.delitem(sys.modules, "examples.cluster.ray_app", raising=False)
    return importlib.import_module("examples.cluster.ray_app")


@pytest.fixture
def config():
    return yaml.safe_load((FOLDER / "serve.yaml").read_text())


def test_replicas_build_the_application(ray_app):
    """Ray calls a function in each replica; an application would have to be pickled."""
    builder = ray_app.app.cls.builder
    assert builder is service.create_app_from_environment
    assert inspect.isfunction(builder)  # Ray tells a builder from an application by this


def test_the_configuration_fits_the_file(ray_app, config):
    (application,) = config["applications"]
    module, name = application["import_path"].split(":")
    assert module == ray_app.__name__ and getattr(ray_app, name) is ray_app.app
    (deployment,) = application["deployments"]
    assert deployment["name"] == ray_app.app.cls.__name__
    variables = application["runtime_env"]["env_vars"]
    assert {service.MODEL_VARIABLE, service.GALLERY_VARIABLE} <= set(variables)


def test_the_configuration_is_closed(config):
    """The proxy is on loopback, and the key isn't in a file that is committed and shown."""
    assert config["http_options"]["host"] == "127.0.0.1"
    (application,) = config["applications"]
    assert auth.KEY_VARIABLE not in application["runtime_env"]["env_vars"]
    assert config["logging_config"]["enable_access_log"] is False  # paths hold names of people
    text = (FOLDER / "serve.yaml").read_text()
    assert auth.KEY_VARIABLE in text and "all interfaces" in text


def test_the_page_says_where_ray_listens():
    page = (ROOT / "docs" / "deploy" / "cluster.md").read_text()
    assert "all interfaces" in page and "RAY_USAGE_STATS_ENABLED=0" in page
