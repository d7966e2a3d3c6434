"""Which function names which, read with libclang: for each function (and each variable of a file that has an initializer) of one file, what it names."""
from clang.cindex import CursorKind as K, LinkageKind, TypeKind as T


def octets_in(params):
    """The first parameter by which octets of somebody else come in, or None: a reader, a span, or a pointer to const octets or text with a length beside it."""
    for i, p in enumerate(params):
        t = p.type
        c = t.get_canonical()
        spelled = c.spelling
        if spelled in ("struct reader *", "struct span"):
            return p.spelling
        if c.kind == T.POINTER and c.get_pointee().get_canonical().spelling in ("const unsigned char", "const char", "const void"):
            after = params[i + 1].type.get_canonical().spelling if i + 1 < len(params) else ""
            if after in ("unsigned long", "const unsigned long", "unsigned int", "unsigned short"):
                return p.spelling
            if c.get_pointee().get_canonical().spelling == "const char" and p.spelling in ("text", "path", "line", "s"):
                return p.spelling
    return None


def named(cursor):
    """Names of functions and of variables of a file that an initializer or a body speaks of."""
    found = set()
    for x in cursor.walk_preorder():
        if x.kind == K.DECL_REF_EXPR and x.referenced is not None:
            r = x.referenced
            if r.kind == K.FUNCTION_DECL or (r.kind == K.VAR_DECL and r.semantic_parent is not None and r.semantic_parent.kind == K.TRANSLATION_UNIT):
                found.add(r.spelling)
    return sorted(found)


def facts(tu, full):
    """[name, known outside of the file?, line, the parameter that brings octets or "", names] of each definition in the file itself."""
    rows = []
    for c in tu.cursor.get_children():
        f = c.location.file
        if f is None or f.name != full or not c.is_definition():
            continue
        if c.kind == K.FUNCTION_DECL:
            outside = c.linkage == LinkageKind.EXTERNAL or full.endswith(".h")
            rows.append([c.spelling, outside, c.location.line, octets_in(list(c.get_arguments())) or "", named(c)])
        elif c.kind == K.VAR_DECL and any(x.kind.is_expression() for x in c.get_children()):
            rows.append([c.spelling, c.linkage == LinkageKind.EXTERNAL, c.location.line, "", named(c)])
    return rows


def reached(files, roots):
    """files: {path: facts}. (path, name) of everything that the roots (path, name) come to, by calls or by handing functions over."""
    outside, inside = {}, {}
    for path, rows in files.items():
        for name, out, _, _, names in rows:
            inside[(path, name)] = names
            if out:
                outside.setdefault(name, path)
    seen, todo = set(), [r for r in roots if r in inside]
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        for name in inside[here]:
            there = (here[0], name) if (here[0], name) in inside else (outside.get(name), name)
            if there in inside and there not in seen:
                todo.append(there)
    return seen
