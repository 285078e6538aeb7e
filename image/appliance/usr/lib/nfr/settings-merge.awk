# Lays one config over another: awk -v map=FILE -v refused=FILE -v never="PATH..." -f settings-merge.awk BASE OVER
#
# Both are read by their indentation: where both have the same name with names of its own below it, these are laid over each other in the same way; what else
# OVER has replaces what BASE has, word for word. BASE is of our own making. OVER is anybody's: what cannot be understood in this way is refused with its line
# (exit code 3), and what comes out is asked of the sensor, so that this need not know YAML any better.
# map: "LINE-OF-RESULT LINE-OF-OVER" for each line that comes of OVER. refused: "LINE-OF-OVER PATH" for each that is the box's to say (never).
function fail(line, words) { print line " " words > refused; failed = 1; exit 3 }
function indent(s) { match(s, /^ */); return RLENGTH }
function blank(s) { return s ~ /^[ ]*(#.*)?$/ }
# Lists may begin where their name does.
function item(s) { return s ~ /^ *-( |$)/ }
function key(s,  k) { if (s !~ /^ *["']?[A-Za-z_][A-Za-z0-9_.-]*["']? *:( |$)/) return ""; k = s; sub(/^ */, "", k); sub(/ *:.*$/, "", k); gsub(/["']/, "", k); return k }
function bare(s) { sub(/^[^:]*: */, "", s); return s == "" || s ~ /^#/ }
function text(w, i) { return w == "a" ? A[i] : B[i] }
# end(w, i, to): the first line behind what belongs to the name in line i.
function end(w, i, to,  d, j, last, s) {
  d = indent(text(w, i)); last = i
  for (j = i + 1; j <= to; j++) { s = text(w, j); if (blank(s)) continue; if (indent(s) < d || (indent(s) == d && !(item(s) && bare(text(w, i))))) break; last = j }
  return last + 1
}
function first(w, from, to,  j) { for (j = from; j <= to; j++) if (!blank(text(w, j))) return j; return 0 }
# names(w, i, e): the name in line i has names of its own below it.
function names(w, i, e,  j) { if (!bare(text(w, i))) return 0; j = first(w, i + 1, e - 1); return j && !item(text(w, j)) && indent(text(w, j)) > indent(text(w, i)) && key(text(w, j)) != "" }
function emit(w, i, shift,  s) {
  s = text(w, i); if (shift > 0) s = sprintf("%" shift "s", "") s; else if (shift < 0) { if (indent(s) >= -shift) s = substr(s, 1 - shift); else if (!blank(s)) fail(i, "the indentation cannot be understood") }
  print s; out++; if (w == "b") print out, i > map
}
function block(w, i, e, depth,  j, shift) { shift = depth - indent(text(w, i)); for (j = i; j < e; j++) emit(w, j, shift) }
function line(s) { print s; out++ }
function mine(path,  n, list, i) { n = split(never, list, " "); for (i = 1; i <= n; i++) { if (list[i] == path) return 2; if (index(list[i], path ".") == 1) mine_below = 1 } return 0 }
function over(i, e, depth, path,  how) {
  mine_below = 0; how = mine(path)
  if (how == 2) { print i, path > refused; return }
  if (!mine_below) { block("b", i, e, depth); return }
  if (names("b", i, e)) { line(sprintf("%" depth "s", "") key(B[i]) ":"); lay(1, 0, i + 1, e - 1, depth + 2, path "."); return }
  if (bare(B[i]) && !first("b", i + 1, e - 1)) return
  fail(i, path ": write each of its settings in a line of its own below it")
}
function lay(af, at, bf, bt, depth, path,  i, j, e, f, k, d, bn, bk, bs, be, n, used, met) {
  d = first("b", bf, bt); if (d) d = indent(B[d])
  for (i = bf; i <= bt; i = e) {
    if (blank(B[i])) { e = i + 1; continue }
    k = key(B[i]); if (k == "" || indent(B[i]) != d) fail(i, k == "" ? "expected \"name:\" here" : "this line is not indented as the one above it")
    if (k in met) fail(i, path k " is set twice; first in line " met[k]); met[k] = i
    e = end("b", i, bt); bn++; bk[bn] = k; bs[bn] = i; be[bn] = e
  }
  for (i = af; i <= at; i = e) {
    if (blank(A[i])) { line(A[i]); e = i + 1; continue }
    e = end("a", i, at); k = key(A[i]); j = 0
    for (n = 1; n <= bn; n++) if (bk[n] == k) j = n
    if (!j || mine(path k) == 2) { block("a", i, e, depth); continue }
    used[j] = 1
    # A name with nothing behind it says nothing.
    if (bare(B[bs[j]]) && !first("b", bs[j] + 1, be[j] - 1)) block("a", i, e, depth)
    else if (names("a", i, e) && names("b", bs[j], be[j])) { line(sprintf("%" depth "s", "") k ":"); lay(i + 1, e - 1, bs[j] + 1, be[j] - 1, depth + 2, path k ".") }
    else over(bs[j], be[j], depth, path k)
  }
  for (n = 1; n <= bn; n++) if (!(n in used)) over(bs[n], be[n], depth, path bk[n])
}
FILENAME == ARGV[1] { A[++na] = $0; next }
done { B[++nb] = ""; next }
# The marks of a document around the only one.
/^(---|%YAML)/ && !content { B[++nb] = ""; next }
/^\.\.\. *$/ { done = 1; B[++nb] = ""; next }
{ B[++nb] = $0; if (!blank($0)) content = 1 }
END { if (!failed) lay(1, na, 1, nb, 0, "") }
