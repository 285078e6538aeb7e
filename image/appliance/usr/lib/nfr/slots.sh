# shellcheck shell=sh
# Which slot boots: the one file that says so is autoboot.txt on the first FAT partition (NFR-BOOT), and this is the only code that writes it.
# Read by /init in the initramfs (busybox) and by nfr-slot in the running system (dash), so it is plain POSIX.
#
#   [all]                      what the firmware boots next: the slot on trial while one is, else the lasting one
#   tryboot_a_b=1
#   boot_partition=2           2 = slot a, 3 = slot b
#   [tryboot]                  what a person gets by "reboot '0 tryboot'" on a kernel that can pass it: the other one
#   boot_partition=3
#   #nfr good=a try=- left=0 bad=-
#
# The firmware reads 512 bytes of the file and no more, and that is what makes it safe: it always has exactly 512 bytes, lies in one sector of the card,
# and is overwritten in place. A power cut leaves the old sector or the new one. The last line is ours (the firmware takes it for a comment):
#   good  the slot that lasts          try   the slot on trial, or -
#   left  attempts still to be made    bad   the slot that failed last, or that an update is overwriting, or -; it is not booted again until an update wrote it
# Debian's kernel cannot hand the firmware its tryboot flag, therefore the attempt is counted here: the initramfs of the slot on trial takes the last
# attempt before it does anything else, and when it comes up with none left (watchdog, power cut, panic, reboot without "good"), it goes back.

SLOT_FILE_BYTES=512

slot_partition() { case $1 in a) echo 2 ;; b) echo 3 ;; *) return 1 ;; esac; }
slot_of_partition() { case $1 in 2) echo a ;; 3) echo b ;; *) return 1 ;; esac; }
slot_root() { case $1 in a) echo 5 ;; b) echo 6 ;; *) return 1 ;; esac; }
slot_other() { case $1 in a) echo b ;; b) echo a ;; *) return 1 ;; esac; }

# slot_read DIR: sets good, try, left, bad and next. A file that says nothing believable means slot a (or what boot_partition says), nothing on trial.
slot_read() {
  good='' try=- left=0 bad=- next=
  if [ -r "$1/autoboot.txt" ]; then
    _part=$(sed -n '/^\[all\]/,/^\[tryboot\]/s/^boot_partition=\([0-9]*\).*/\1/p' "$1/autoboot.txt" | head -n 1)
    next=$(slot_of_partition "${_part:-0}") || next=
    _line=$(sed -n 's/^#nfr //p' "$1/autoboot.txt" | head -n 1)
    for _word in $_line; do
      case $_word in
        good=a|good=b) good=${_word#good=} ;;
        try=a|try=b) try=${_word#try=} ;;
        left=[0-9]) left=${_word#left=} ;;
        bad=a|bad=b) bad=${_word#bad=} ;;
      esac
    done
  fi
  # A person may have edited boot_partition alone: then that is what shall last.
  if [ -z "$good" ]; then good=${next:-a}; try=-; left=0
  elif [ "$try" = - ] && [ -n "$next" ] && [ "$next" != "$good" ]; then good=$next
  fi
  if [ "$try" = "$good" ]; then try=- left=0; fi
  [ "$bad" != "$good" ] || bad=-
  [ -n "$next" ] || next=$good
}

# slot_write DIR: writes what slot_read set. Fails, and leaves the old sector, where the card does not take it.
slot_write() {
  next=$good; [ "$try" = - ] || next=$try
  _text="[all]
tryboot_a_b=1
boot_partition=$(slot_partition "$next")
[tryboot]
boot_partition=$(slot_partition "$(slot_other "$next")")
#nfr good=$good try=$try left=$left bad=$bad
"
  # Filled up with a comment of dots, so that editors show one line.
  _fill=$((SLOT_FILE_BYTES - ${#_text} - 3))
  { printf '%s#' "$_text"; printf "%${_fill}s" '' | tr ' ' '.'; printf '\n\n'; } > "${SLOT_SCRATCH:-/tmp}/autoboot.$$" || return 1
  dd if="${SLOT_SCRATCH:-/tmp}/autoboot.$$" of="$1/autoboot.txt" bs=$SLOT_FILE_BYTES count=1 conv=notrunc,fsync 2>/dev/null
  _code=$?
  # Its first sector alone: an editor may have made the file longer, and nobody reads what lies behind.
  dd if="$1/autoboot.txt" bs=$SLOT_FILE_BYTES count=1 2>/dev/null | cmp -s "${SLOT_SCRATCH:-/tmp}/autoboot.$$" - || _code=1
  rm -f "${SLOT_SCRATCH:-/tmp}/autoboot.$$"
  return $_code
}

# slot_arrive DIR SLOT: called once a boot, before the root is mounted. Prints what to do: "boot" (as usual), "trial" (boot, an attempt was used up) or
# "reboot" (this slot had its attempts; the lasting one is next), then a sentence where something happened.
slot_arrive() {
  slot_read "$1"
  if [ "$try" = - ]; then
    # An older state, a foreign tool or a person chose another slot for once: it may run, and stays what it is.
    [ "$2" = "$good" ] && echo boot || echo "boot slot $2 runs although slot $good is the lasting one"
  elif [ "$2" = "$try" ] && [ "$left" -gt 0 ]; then
    left=$((left - 1))
    # A card that takes no writes cannot be sent back to the other slot either: the firmware would read the same again, for ever. What is here runs.
    if slot_write "$1"; then echo "trial slot $2 is on trial"; else echo "boot slot $2 is on trial and the card cannot be written, so it cannot be taken back; replace the card"; fi
  elif [ "$2" = "$try" ]; then
    bad=$try try=- left=0
    if slot_write "$1"; then echo "reboot slot $2 was tried and not confirmed; back to slot $good"; else echo "boot slot $2 was not confirmed and the card cannot be written, so it runs on; replace the card"; fi
  else
    bad=$try try=- left=0
    slot_write "$1"; echo "boot slot $bad was to be tried and did not come up; slot $2 runs"
  fi
}

# slot_failed DIR SLOT: the slot's root cannot be mounted. Prints "reboot" when the other slot is worth booting, else "stay".
slot_failed() {
  slot_read "$1"
  _other=$(slot_other "$2")
  if [ "$try" = "$2" ]; then
    bad=$2 try=- left=0
    if slot_write "$1"; then echo "reboot slot $2 has no root that can be mounted; back to slot $good"; else echo "stay slot $2 has no root that can be mounted, and the card cannot be written"; fi
  elif [ "$bad" = "$_other" ]; then
    echo "stay slot $2 has no root that can be mounted, and slot $_other failed before or was not written to its end"
  else
    good=$_other bad=$2 try=- left=0
    slot_write "$1" && echo "reboot slot $2 has no root that can be mounted; slot $_other is next" || echo "stay slot $2 has no root that can be mounted, and the card cannot be written"
  fi
}
