"""A real dump of VRPs, served over RTR by cairn-rpki; for the programs here that hold something against others over it."""

import bz2
import json
import os
import socket
import subprocess
import time

import kit

DUMP = "rpkilog/test_data/rpkiclient_summary_20250720T093135Z.json.bz2"
PORT = 3323


def vrps(data):
    """None: the dump is not there."""
    if not os.path.exists(os.path.join(data, DUMP)):
        print("%s is not there" % os.path.join(data, DUMP))
        return None
    with bz2.open(os.path.join(data, DUMP)) as f:
        return [{"asn": int(v["asn"]), "prefix": v["prefix"], "maxPrefixLength": v["maxLength"]} for v in json.load(f)["roas"]]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def serve(folder, what):
    """A cairn-rpki that serves these: (process, configuration). None: it does not come to that."""
    os.mkdir(folder.at("tals"))
    slurm = folder.write("vrps.slurm", json.dumps({"slurmVersion": 1, "validationOutputFilters": {"prefixFilters": [], "bgpsecFilters": []}, "locallyAddedAssertions": {
        "prefixAssertions": what, "bgpsecAssertions": []}}))
    conf = folder.write("rpki.conf", 'rpki:\n\tusername: ""\n\ttal-dir: "%s"\n\tcache-dir: "%s"\n\tslurm: "%s"\nrtr:\n\tinterface: 127.0.0.1@%d\n' % (
        folder.at("tals"), folder.at("cache"), slurm, PORT))
    with open(folder.at("rpki.log"), "w") as log:
        process = subprocess.Popen([kit.program("CAIRN_RPKI", "cairn-rpki"), "-d", "-c", conf], stdout=log, stderr=log, preexec_fn=kit.die_with_parent)
    end = time.monotonic() + 300 * kit.SLOW
    while time.monotonic() < end and process.poll() is None:
        if listens(PORT) and os.path.exists(folder.at("cache/serve/rtr-state")):
            return process, conf
        time.sleep(0.1)
    print(open(folder.at("rpki.log")).read()[-2000:])
    return None
