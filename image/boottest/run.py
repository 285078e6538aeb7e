#!/usr/bin/env python3
"""Boots the image in an emulated machine and looks at it as its owner, its network and its enemies would. One line a check:

    ok      83.2 s  recording     61 s to "recording" after the kernel began ...

Run by ./build.sh --target=ImageTest, or: unshare --net python3 image/boottest/run.py --image FILE --tools DIRS --nfr PROGRAM --key PEM
Everything happens in a network of this process's own. Needs root. --only=NAME,… chooses checks (those that they need run too)."""
import argparse
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from box import Box, Failed, network, settings, HOST, LEASE          # noqa: E402
from bundles import Bundles                                     # noqa: E402

# An act is one flashed card. Its first check switches the box on; without it the others of the act have nothing to look at.
EVERYDAY = ('recording', 'capture', 'heartbeat', 'lights', 'display', 'alert', 'silent', 'read_only', 'grown', 'ports', 'ssh', 'memory', 'watchdog', 'hung', 'power_cut', 'full_card',
            'dying_card', 'kept', 'update_refused', 'update', 'update_bad', 'shutdown')
PLAIN = ('plain', 'late_card', 'factory_reset')
BOARD = ('board',)
BAD_DAY = ('bad_day', 'bad_day_seen', 'button_off')
MISTAKES = 'this line says nothing\r\ncolour = blue\r\ntimezone = Mars/Olympus\r\n'


def say(line):
    print(f'        {line}', flush=True)


def perform(box, names, results):
    broken = None
    for name in names:
        began = time.monotonic()
        if broken:
            results.append((name, None))
            print(f'-    {0:7.1f} s  {name:<15}not looked at: {broken} failed, and what follows needs a running box', flush=True)
            continue
        detail, good = '', False
        try:
            detail, good = importlib.import_module('checks.' + name).check(box), True
        except Failed as fault:
            detail = str(fault)
        except Exception as fault:
            detail = f'{type(fault).__name__}: {fault}'
            say(traceback.format_exc().strip().replace('\n', '\n        '))
        results.append((name, good))
        print(f'{"ok  " if good else "FAIL"} {time.monotonic() - began:7.1f} s  {name:<15}{detail}', flush=True)
        if not good and (name == names[0] or not revive(box, name)): broken = name


def revive(box, name):
    """After a failed check the box may be off or hung: it is switched on again, so that the next check says something of its own."""
    if box.machine.process is not None and box.machine.process.poll() is None and box.guest.try_run('true', 60).code == 0: return True
    say(f'switching the box on again after {name}')
    box.cut()
    try:
        box.power_on()
        return box.wait_recording() is not None
    except Exception as fault:
        say(f'it does not come up: {fault}')
        return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--image', required=True)
    parser.add_argument('--tools', required=True, help='folders with qemu-system-aarch64, mcopy, dtc, debugfs, like a PATH')
    parser.add_argument('--nfr', required=True, help='a program that makes updates on this machine, with its arguments')
    parser.add_argument('--key', required=True, help="private key of one of the image's update keys")
    parser.add_argument('--logs', default='artifacts/image-test')
    parser.add_argument('--updates', help='a folder where the updates that are made stay for the next run')
    parser.add_argument('--only', default='')
    choice = parser.parse_args()
    os.environ['PATH'] = os.pathsep.join([*map(os.path.abspath, choice.tools.split(os.pathsep)), os.environ['PATH']])
    # Ended from outside, the emulator and the broker end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    only = set(filter(None, choice.only.split(',')))
    unknown = only - {*EVERYDAY, *PLAIN, *BOARD, *BAD_DAY}
    if unknown: parser.error(f'there is no check {", ".join(sorted(unknown))}')
    acts = [(act, [name for name in act if not only or name in only or name == act[0]]) for act in (EVERYDAY, PLAIN, BOARD, BAD_DAY) if not only or only & set(act)]
    began, results = time.monotonic(), []
    network()
    folder = tempfile.mkdtemp(prefix='nfr-boottest-', dir=os.environ.get('TMPDIR', '/var/tmp'))
    bundles = box = None
    try:
        base = choice.image.removesuffix('.img')
        bundles = Bundles(base, choice.nfr.split(' '), choice.key, choice.updates or os.path.join(folder, 'updates'), HOST, say)
        box = Box(choice.image, bundles, folder, say)
        for act, names in acts:
            if act is EVERYDAY: box.new_card('everyday', settings(ssh_key=box.public_key, extra=[f'ntp = {HOST}']))
            elif act is PLAIN: box.new_card('plain', settings(ssh_key=box.public_key, plain=True), address=LEASE)
            # QEMU's SD cards are powers of two.
            elif act is BOARD: box.new_card('board', settings(ssh_key=box.public_key, plain=True), address=LEASE, megabytes=4096, board=True)
            else: box.new_card('bad-day', MISTAKES + settings(extra=[f'ntp = {HOST}']))
            perform(box, names, results)
            box.power_off()
    finally:
        if box:
            box.close()
            if os.path.isdir(choice.logs): shutil.rmtree(choice.logs)
            box.keep_logs(choice.logs)
        if bundles: bundles.close()
        shutil.rmtree(folder, ignore_errors=True)
    passed, failed, skipped = (sum(1 for _, good in results if good is state) for state in (True, False, None))
    print(f'Consoles and pictures are in {choice.logs}')
    print(f'{passed} passed, {failed} failed' + (f', {skipped} not looked at' if skipped else '') + f' in {time.monotonic() - began:.0f} s')
    return 1 if failed or skipped else 0


if __name__ == '__main__':
    sys.exit(main())
