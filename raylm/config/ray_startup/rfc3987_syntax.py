"""Stands in for the package of the same name in Ray's processes, so that they start sooner.

JupyterLab installs `jsonschema[format-nongpl]`, whose rfc3987_syntax compiles a grammar at import: 2.1 of the
2.6 seconds of `import ray`, in each of the ten or so processes of a run. jsonschema goes on without it: it
then checks no internationalised addresses, which Ray never asks for.
"""

raise ImportError("left out on purpose: raylm's Ray processes do not check internationalised addresses")
