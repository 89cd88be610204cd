# The import rules and the places of `unsafe` and `async`, read from Swift files; called by lint.sh.
#
# -v imports     lines "module allowed…"      -v everywhere  modules all may import
# -v in_tests    modules all tests may import  -v unsafe, async  modules that may say these words

BEGIN {
    count = split(imports, rows, "\n")
    for (i = 1; i <= count; i++) {
        fields = split(rows[i], names, " ")
        for (j = 2; j <= fields; j++) allowed[names[1], names[j]] = 1
        if (fields) known[names[1]] = 1
    }
    mark(everywhere, for_all)
    mark(in_tests, for_tests)
    mark(unsafe, says_unsafe)
    mark(async, says_async)
}

FNR == 1 {
    comment = 0  # depth of nested block comments
    string = ""  # what ends the multi-line string we are in
    split(FILENAME, parts, "/")
    testing = parts[1] == "Tests"
    module = parts[2]
    tested = module
    if (testing) sub(/Tests$/, "", tested)
    if (!(module in known) && !(testing && tested in known))
        report("module " module " has no row in the import table of Scripts/lint.sh")
}

{
    text = code($0)
    imported = import_in(text)
    if (imported != "" && !may_import(imported)) report(module " may not import " imported)
    if (testing) next
    if (has_word(text, "unsafe") && !(module in says_unsafe) && $0 !~ /unownedExecutor|asUnownedSerialExecutor/)
        report("'unsafe' in " module "; only in " unsafe)
    if (!(module in says_async) && (has_word(text, "async") || has_word(text, "await")))
        report("'async' or 'await' in " module "; only in " async)
}

END { exit violations > 0 }

function report(what) {
    print FILENAME ":" FNR ": " what
    violations++
}

function mark(list, set,    names, i) {
    split(list, names, " ")
    for (i in names) set[names[i]] = 1
}

function may_import(name) {
    if ((module, name) in allowed || name in for_all) return 1
    return testing && (name == tested || (tested, name) in allowed || name in for_tests)
}

# The module an import line names, or nothing.
function import_in(text) {
    if (!sub(/^[ \t]*(@[A-Za-z_]+(\([^)]*\))?[ \t]+)*((public|package|internal|fileprivate|private)[ \t]+)?import[ \t]+/, "", text))
        return ""
    sub(/^(struct|class|enum|protocol|func|var|let|typealias)[ \t]+/, "", text)
    return match(text, /^[A-Za-z_][A-Za-z0-9_]*/) ? substr(text, 1, RLENGTH) : ""
}

function has_word(text, word) {
    return text ~ ("(^|[^A-Za-z0-9_])" word "([^A-Za-z0-9_]|$)")
}

# A line without comments, quoted text and names in backticks; what strings interpolate stays.
function code(line) {
    if (!comment && string == "" && line !~ /["`]|\/\/|\/\*/) return line
    rest = line
    kept = ""
    while (rest != "") {
        if (comment) skip_comment()
        else if (string != "") skip_string()
        else if (rest ~ /^\/\//) rest = ""
        else if (rest ~ /^\/\*/) { comment = 1; rest = substr(rest, 3) }
        else if (rest ~ /^`/) skip_backticks()
        else if (match(rest, /^#*"/)) open_string()
        else keep_one()
    }
    # A one-line string ends with its line, whatever its quotes look like to us.
    if (string !~ /^"""/) string = ""
    return kept
}

function keep_one() {
    kept = kept substr(rest, 1, 1)
    rest = substr(rest, 2)
}

function skip_comment() {
    if (!match(rest, /\/\*|\*\//)) { rest = ""; return }
    comment += substr(rest, RSTART, 2) == "/*" ? 1 : -1
    rest = substr(rest, RSTART + 2)
}

function skip_backticks(    end) {
    end = index(substr(rest, 2), "`")
    rest = end ? substr(rest, end + 2) : ""
    kept = kept "_"
}

function open_string(    hashes) {
    hashes = substr(rest, 1, RLENGTH - 1)
    rest = substr(rest, RLENGTH)
    string = (rest ~ /^"""/ ? "\"\"\"" : "\"") hashes
    rest = substr(rest, rest ~ /^"""/ ? 4 : 2)
    kept = kept " "
}

# Up to the end of the string or of the line. An interpolation is kept as code.
function skip_string(    hashes) {
    hashes = string
    gsub(/"/, "", hashes)
    while (rest != "") {
        if (index(rest, string) == 1) {
            rest = substr(rest, length(string) + 1)
            string = ""
            return
        }
        if (index(rest, "\\" hashes "(") == 1) {
            rest = substr(rest, length(hashes) + 3)
            keep_interpolation()
        } else if (index(rest, "\\" hashes) == 1) {
            rest = substr(rest, length(hashes) + 3)
        } else {
            rest = substr(rest, 2)
        }
    }
}

# From after `\(` to its closing parenthesis, strings inside skipped in their turn.
function keep_interpolation(    outer, depth) {
    outer = string
    depth = 1
    while (rest != "" && depth) {
        if (match(rest, /^#*"/)) {
            open_string()
            skip_string()
        } else {
            if (rest ~ /^\(/) depth++
            if (rest ~ /^\)/) depth--
            keep_one()
        }
    }
    string = outer
}
