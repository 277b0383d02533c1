# What Doxygen reads of a header: the inline namespace and macros that only say how something is compiled are
# left out, a file's first comment is its description, in comments nothing but `code` and lists is markup, and
# several members declared in one line share its description.

# A comment's text, with all that Doxygen would take for markup escaped outside of `code`.
function plain(text,   parts, count, i, out) {
  count = split(text, parts, "`")
  for (i = 1; i <= count; ++i) {
    if (i % 2 == 1 || i == count) {
      gsub(/\\/, "\\\\\\\\", parts[i])
      gsub(/[<>#@&$%"]/, "\\\\&", parts[i])
      gsub(/::/, "\\::", parts[i])
    }
    out = out (i > 1 ? "`" : "") parts[i]
  }
  return out
}

# "T a, b = 1;" as a declaration for each, each with the description before it or behind it.
function declare(code, before, behind,   depth, i, c, count, list, type, name, indent) {
  depth = 0; count = 1
  for (i = 1; i <= length(code); ++i) {
    c = substr(code, i, 1)
    if (c ~ /[<({[]/) ++depth
    if (c ~ /[>)}\]]/) --depth
    if (c == "," && depth == 0) { ++count; continue }
    if (c == ";") break
    list[count] = list[count] c
  }
  type = list[1]
  sub(/ *=.*/, "", type)
  match(type, /^ */); indent = substr(type, 1, RLENGTH)
  sub(/[A-Za-z_0-9]+ *$/, "", type)
  for (i = 1; i <= count; ++i) {
    name = i == 1 ? substr(list[i], length(type) + 1) : list[i]
    printf "%s%s%s;%s\n", before, (i == 1 ? type : indent substr(type, length(indent) + 1)), name, behind
  }
}

BEGIN { head = 1 }
head && /^\/\// {
  if (NR == 1) print "/** @file"
  line = substr($0, 4)
  if (line ~ /^  / && !code) { print "@verbatim"; code = 1 }
  if (line !~ /^  / && line != "" && code) { print "@endverbatim"; code = 0 }
  print code ? line : plain(line)
  next
}
head {
  if (NR > 1) { if (code) print "@endverbatim"; print "*/" }
  head = 0
}
{
  sub(/namespace transept::inline TRANSEPT_ABI/, "namespace transept")
  gsub(/TRANSEPT_(FUNCTION|ALWAYS_INLINE|NO_INLINE) /, "")
}
/^ *\/\/\/ ?[^<]/ || /^ *\/\/\/$/ { # a description, kept until what it describes is read
  at = index($0, "///")
  pending = pending substr($0, 1, at + 2) plain(substr($0, at + 3)) "\n"
  next
}
{
  behind = ""
  at = index($0, "///")
  if (at) { behind = substr($0, at, 4) plain(substr($0, at + 4)); $0 = substr($0, 1, at - 1) }
  if ($0 ~ /^ +[A-Za-z_][A-Za-z_0-9:<>, ]* [a-z_0-9]+( = [^,(]+)?, [a-z_0-9]+( = [^(]+)?.*; *$/ && $0 !~ /[()]/ \
      && (pending != "" || behind != ""))
    declare($0, pending, behind)
  else
    printf "%s%s%s\n", pending, $0, behind
  pending = ""
}
