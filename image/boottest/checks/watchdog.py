"""A sensor that is stuck is started again by systemd, and records again."""
import time

from box import expect, wait_for
from ledger import all_in
from traffic import everyday


def check(box):
    unit = box.guest.unit('nfr.service', 'MainPID', 'NRestarts')
    box.guest.run(f'kill -STOP {unit["MainPID"]}')
    began = time.monotonic()

    def again():
        now = box.guest.unit('nfr.service', 'MainPID', 'NRestarts', 'ActiveState', 'SubState')
        return now if now['MainPID'] not in (unit['MainPID'], '0') and now['SubState'] == 'running' else None
    now = wait_for(again, 240)
    expect(now, f'it was not started again: {box.guest.unit("nfr.service", "ActiveState", "SubState", "Result", "MainPID")}')
    seconds = time.monotonic() - began
    expect(int(now['NRestarts']) > int(unit['NRestarts']), f'NRestarts is {now["NRestarts"]}')
    words = all_in(box, everyday(500), 250, 'after the restart ')
    return f'{words}; restarted and recording {seconds:.0f} s after it was stopped (the watchdog has 30)'
