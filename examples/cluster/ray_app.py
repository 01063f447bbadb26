"""The service of ``tools/serve.py`` under Ray Serve: one copy of the model per replica.

Environment variables say what to serve: ``MMREID_MODEL``, ``MMREID_GALLERY``, ``MMREID_API_KEY``;
see ``docs/deploy/cluster.md``.
"""

from ray import serve

from mmreid_ext.deploy.app import create_app_from_environment


@serve.deployment
@serve.ingress(create_app_from_environment)
class PersonSearch:
    """Replicas call the function above; the application itself can't travel."""


app = PersonSearch.bind()
