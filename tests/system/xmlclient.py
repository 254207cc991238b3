"""Primitives in XML, written and read by lxml: an implementation that shares
nothing with ours."""

import random

try:
    from lxml import etree
except ImportError:
    etree = None

NS = "http://www.onem2m.org/xml/protocols"
COD = NS + "/commondomain"
URIS = {"m2m": NS, "cod": COD}
PREFIXES = {uri: prefix for prefix, uri in URIS.items()}
IN_TAG = ("rn", "nm", "typ")
# in the order of the schema, after op, to, fr, rqi, ty, pc
REQUEST = ("op", "to", "fr", "rqi", "ty", "pc", "rt", "rcn", "fc", "rvi")


def needs_lxml(case):
    if etree is None:
        case.skipTest("python3-lxml is not installed")


def qname(name):
    prefix, colon, local = name.rpartition(":")
    return f"{{{URIS[prefix]}}}{local}" if colon else name


def text_of(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def add(parent, name, value):
    """JSON of a typed member as elements, by the rules of TS-0004 8.3 alone:
    no table is needed where the value is JSON already."""
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        for one in value:
            add(parent, name, one)
        return
    element = etree.SubElement(parent, qname(name))
    if isinstance(value, list):
        element.text = " ".join(text_of(v) for v in value)
    elif isinstance(value, dict):
        fill(element, value)
    else:
        element.text = text_of(value)


def fill(element, members):
    for name, value in members.items():
        if name in IN_TAG:
            element.set(name, text_of(value))
        elif name == "val" and "typ" in members:
            element.text = text_of(value)
        else:
            add(element, name, value)


def tree(root, members, nsmap=None):
    element = etree.Element(qname(root), nsmap=nsmap or {"m2m": NS})
    fill(element, members)
    return element


def same(a, b):
    """Whether two elements say the same: attributes, text, elements; those of
    one name in their order."""
    if a.tag != b.tag or dict(a.attrib) != dict(b.attrib):
        return False
    if len(a) == 0 and len(b) == 0 and (a.text or "") != (b.text or ""):
        return False
    if len(a) != len(b):
        return False
    by_name = {}
    for child in b:
        by_name.setdefault(child.tag, []).append(child)
    for child in a:
        others = by_name.get(child.tag)
        if not others or not same(child, others.pop(0)):
            return False
    return True


def indent(element, depth=0):
    """Layout, where it is none of the content."""
    if len(element) == 0:
        return
    space = "\n" + "\t" * depth
    element.text = space + "\t"
    for child in element:
        indent(child, depth + 1)
        child.tail = space + "\t"
    element[-1].tail = space


def write(element, style, rng=random):
    """The octets of an element: plain, or as somebody else may write it."""
    if style == "plain":
        return etree.tostring(element, encoding="UTF-8")
    if style == "layout":
        indent(element)
        element.append(etree.Comment(" <rqi>none</rqi> "))
    if style == "ascii":
        # references for all that is beyond ASCII
        return etree.tostring(element, encoding="US-ASCII")
    if style == "cdata":
        for one in element.iter():
            if len(one) == 0 and one.text and "]]>" not in one.text:
                one.text = etree.CDATA(one.text)
    return etree.tostring(element, encoding="UTF-8",
                          xml_declaration=rng.random() < 0.5)


class XmlSocket:
    """An AE that speaks XML. Primitives are dicts, their content too; what it
    hears is an lxml element."""

    def __init__(self, ws):
        self.ws = ws
        self.count = 0

    def send(self, root, **members):
        nsmap = {"m2m": NS}
        order = [m for m in REQUEST if m in members]
        order += [m for m in members if m not in order]
        self.ws.send_text(write(
            tree(root, {m: members[m] for m in order}, nsmap), "plain"))

    def recv(self):
        return etree.fromstring(self.ws.recv_text().encode())

    def start(self, fr, **members):
        self.count += 1
        rqi = f"x{self.count}"
        self.send("m2m:rqp", fr=fr, rqi=rqi, rvi="3", **members)
        return rqi

    def must(self, case, rsc, fr, **members):
        """The content of the answer, an element or None."""
        rqi = self.start(fr, **members)
        got = self.recv()
        case.assertEqual((got.tag, got.findtext("rqi"), got.findtext("rsc")),
                         (qname("m2m:rsp"), rqi, str(rsc)),
                         etree.tostring(got))
        pc = got.find("pc")
        return pc[0] if pc is not None and len(pc) else None

    def say(self, prim, rsc=2000):
        self.send("m2m:rsp", rsc=rsc, rqi=prim.findtext("rqi"), rvi="3")
