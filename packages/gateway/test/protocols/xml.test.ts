import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../../../tools/any-text.ts";
import { urlEncoded, xmlDocument } from "../../src/http/xml.ts";
import { childrenOf, expectOnly, optionalText, readXml, requiredText, textOf } from "../../src/http/xml-reader.ts";
import { toRefusal } from "../../src/pipeline/refusal.ts";
import { errorBody } from "../../src/protocols/s3/refuse.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";
const read = (text: string, root = "Delete") => readXml(new TextEncoder().encode(text), root);
const keyOf = (text: string) => requiredText(read(`<Delete><Key>${text}</Key></Delete>`), "Key");

function codeOf(step: () => unknown): string {
  try {
    return `read ${JSON.stringify(step())}`;
  } catch (error) {
    const { code } = toRefusal(error);
    return code === "INTERNAL" ? String(error) : code;
  }
}

describe("the reader", () => {
  it("reads the elements and texts of a document", () => {
    const root = read(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n  <Quiet>true</Quiet>\n  <Object><Key> a/b </Key></Object><Object ><Key/></Object >\n</Delete>\n',
    );
    expect(optionalText(root, "Quiet")).toBe("true");
    expect(childrenOf(root, "Object").map((object) => requiredText(object, "Key"))).toEqual([" a/b ", ""]);
  });

  it.each([
    ["the five entities", "&lt;&gt;&amp;&quot;&apos;", "<>&\"'"],
    ["references to characters", "&#65;&#x42;&#x1F511;&#13;", "AB\u{1f511}\r"],
    ["a reference that looks like another inside one", "&amp;lt;", "&lt;"],
    ["CDATA", "<![CDATA[<a>&amp;]]]]><![CDATA[>]]>", "<a>&amp;]]>"],
    ["comments", "a<!-- <Key> -->b<!-- a - b -->c<!---->d", "abcd"],
    ["line ends of any system", "a\r\nb\rc", "a\nb\nc"],
    ["characters of every length", "a\u00e9\u20ac\u{1f511}", "a\u00e9\u20ac\u{1f511}"],
  ])("reads %s", (_, text, expected) => {
    expect(keyOf(text)).toBe(expected);
  });

  it("reads references to characters outside XML only with anyCharacter, and never to a surrogate", () => {
    const answer = (text: string) =>
      codeOf(() => textOf(readXml(Buffer.from(`<Key>${text}</Key>`), "Key", { anyCharacter: true })));
    expect(["&#x1;&#31;", "&#xfffe;", "&#xd800;", "&#xdc00;", "&#x110000;"].map(answer)).toEqual([
      String.raw`read "\u0001\u001f"`,
      'read "\ufffe"',
      ...Array(3).fill("MALFORMED_XML"),
    ]);
    expect(codeOf(() => keyOf("&#x1;"))).toBe("MALFORMED_XML");
    // As they are they are no part of a document in any case.
    expect(answer("\u0001")).toBe("MALFORMED_XML");
  });

  it.each([
    ["none", "<Delete><Key>a</Key></Delete>"],
    ["S3's", `<Delete xmlns="${NAMESPACE}"><Key>a</Key></Delete>`],
    ["S3's without its last slash", `<Delete xmlns='${NAMESPACE.slice(0, -1)}'><Key>a</Key></Delete>`],
    ["S3's by a prefix", `<s3:Delete xmlns:s3="${NAMESPACE}"><s3:Key>a</s3:Key></s3:Delete>`],
    [
      "S3's with another for attributes",
      `<Delete xmlns="${NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><Key xsi:type="x">a</Key></Delete>`,
    ],
  ])("tolerates the namespace that S3 tolerates: %s", (_, text) => {
    expect(requiredText(read(text), "Key")).toBe("a");
  });

  it("reads any namespace and any root when asked to", () => {
    const google = Buffer.from('<g:List xmlns:g="http://doc.s3.amazonaws.com/2006-03-01"><g:Key>a</g:Key></g:List>');
    expect(requiredText(readXml(google, undefined, { anyNamespace: true }), "Key")).toBe("a");
    expect(codeOf(() => readXml(google, undefined))).toBe("MALFORMED_XML");
  });

  it("takes a byte order mark and no other encoding than UTF-8", () => {
    expect(read("\ufeff<Delete/>").name).toBe("Delete");
    expect(codeOf(() => readXml(Buffer.from("<Delete/>", "utf16le"), "Delete"))).toBe("MALFORMED_XML");
    expect(codeOf(() => readXml(Buffer.from("\ufeff<Delete/>", "utf16le"), "Delete"))).toBe("MALFORMED_XML");
    expect(codeOf(() => readXml(Buffer.from("<Delete>\xe9</Delete>", "latin1"), "Delete"))).toBe("MALFORMED_XML");
  });

  const laughs = Array.from({ length: 10 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join("");
  it.each([
    ["billion laughs", `<!DOCTYPE Delete [<!ENTITY l0 "ha">${laughs}]><Delete><Key>&l10;</Key></Delete>`],
    ["XXE: an entity that reads a file", '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete>&x;</Delete>'],
    ["XXE: an entity that fetches a URL", '<!DOCTYPE d [<!ENTITY x SYSTEM "http://127.0.0.1/">]><Delete>&x;</Delete>'],
    ["XXE: a parameter entity", '<!DOCTYPE d [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd">%x;]><Delete/>'],
    ["an external DTD", '<!DOCTYPE Delete SYSTEM "http://127.0.0.1/x.dtd"><Delete/>'],
    ["an empty DTD", "<!DOCTYPE Delete><Delete/>"],
    ["a DTD in lower case", "<!doctype Delete><Delete/>"],
    ["a DTD after the declaration", '<?xml version="1.0"?><!DOCTYPE Delete []><Delete/>'],
    ["an entity without a DTD", "<Delete>&x;</Delete>"],
    ["an entity of HTML", "<Delete>&nbsp;</Delete>"],
    ["an entity whose name is a pattern", "<Delete>&.*;</Delete>"],
    ["an entity named like a property of objects", "<Delete>&constructor;&__proto__;</Delete>"],
    ["XInclude", '<Delete xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></Delete>'],
    ["a stylesheet", '<?xml version="1.0"?><?xml-stylesheet href="http://127.0.0.1/"?><Delete/>'],
    ["a processing instruction", "<Delete><?php phpinfo() ?></Delete>"],
    ["a second declaration", '<?xml version="1.0"?><?xml version="1.0"?><Delete/>'],
    ["a declaration that is not first", ' <?xml version="1.0"?><Delete/>'],
    ["a declaration of another encoding", '<?xml version="1.0" encoding="UTF-7"?><Delete/>'],
    ["a declaration of another version", '<?xml version="2.0"?><Delete/>'],
    ["a control character", "<Delete>\u0001</Delete>"],
    ["a reference to a control character", "<Delete>&#1;</Delete>"],
    ["a reference to NUL", "<Delete>&#0;</Delete>"],
    ["a reference to half of a pair", "<Delete>&#xD800;</Delete>"],
    ["a reference beyond Unicode", "<Delete>&#x110000;</Delete>"],
    ["a reference with many zeros", `<Delete>&#${"0".repeat(100)}65;</Delete>`],
    ["a reference without its end", "<Delete>&#65</Delete>"],
    ["a bare ampersand", "<Delete>a & b</Delete>"],
    ["the end of CDATA in text", "<Delete>]]></Delete>"],
    ["CDATA beside the root", "<Delete/><![CDATA[]]>"],
    ["CDATA without its end", "<Delete><![CDATA[</Delete>"],
    ["a comment without its end", "<Delete><!--</Delete>"],
    ["a comment with two dashes", "<Delete><!-- -- --></Delete>"],
    ["no bytes", ""],
    ["text alone", "Delete"],
    ["an element that is not closed", "<Delete><Key></Delete>"],
    ["an element that another closes", "<Delete><Key></key></Delete>"],
    ["an end without a beginning", "<Delete/></Delete>"],
    ["an end with attributes", '<Delete></Delete a="b">'],
    ["two roots", "<Delete/><Delete/>"],
    ["text beside the root", "<Delete/>a"],
    ["text between elements", "<Delete>a<Key/></Delete>"],
    ["another root", "<delete/>"],
    ["an attribute twice", '<Delete a="1" a="2"/>'],
    ["an attribute without a value", "<Delete a/>"],
    ["an attribute without quotes", "<Delete a=b/>"],
    ["an attribute with markup", '<Delete a="<"/>'],
    ["attributes without a space between them", '<Delete a="1"b="2"/>'],
    ["seventeen attributes", `<Delete ${Array.from({ length: 17 }, (_, i) => `a${i}=""`).join(" ")}/>`],
    ["a space before the name", "< Delete/>"],
    ["a prefix that is not declared", "<s3:Delete/>"],
    ["the namespace of something else", '<Delete xmlns="http://127.0.0.1/"/>'],
    ["a child in the namespace of something else", '<Delete><Key xmlns="urn:x">a</Key></Delete>'],
    ["thirteen levels", `<Delete>${"<a>".repeat(12)}${"</a>".repeat(12)}</Delete>`],
    ["more than 10,000 elements", `<Delete>${"<a/>".repeat(10_000)}</Delete>`],
  ])("refuses %s", (_, text) => {
    expect(codeOf(() => read(text))).toBe("MALFORMED_XML");
  });

  it("allows more elements where the operation has more", () => {
    const bytes = new TextEncoder().encode(`<Delete>${"<a/>".repeat(20_000)}</Delete>`);
    expect(readXml(bytes, "Delete", { elements: 20_001 }).children.length).toBe(20_000);
  });

  it("is asked for what has to be there, and refuses the rest", () => {
    const root = read("<Delete><Key>a</Key><Key>b</Key><Object><Key>c</Key></Object></Delete>");
    expect(codeOf(() => requiredText(root, "Quiet"))).toBe("MALFORMED_XML");
    expect(codeOf(() => optionalText(root, "Key"))).toBe("MALFORMED_XML");
    expect(codeOf(() => optionalText(root, "Object"))).toBe("MALFORMED_XML");
    expect(codeOf(() => textOf(root))).toBe("MALFORMED_XML");
    expect(codeOf(() => expectOnly(root, ["Key"]))).toBe("MALFORMED_XML");
    expect(codeOf(() => expectOnly(root, ["Key", "Object"]))).toBe("read undefined");
    expect(optionalText(root, "Quiet")).toBe(undefined);
  });

  // Each is 2 MB of what a scanner could read again and again. Quadratic code takes minutes for it, this well under a second.
  const many = 2_000_000;
  it.each([
    ["ampersands", `<Delete>${"&".repeat(many)}</Delete>`],
    ["starts of comments", `<Delete>${"<!--".repeat(many / 4)}`],
    ["starts of CDATA", `<Delete>${"<![CDATA[".repeat(many / 9)}`],
    ["starts of elements", "<Delete".repeat(many / 7)],
    ["spaces in a tag", `<Delete${" ".repeat(many)}a`],
    ["spaces in a declaration", `<?xml version="1.0"${" ".repeat(many)}?`],
    ["spaces in an end", `<Delete></Delete${" ".repeat(many)}`],
    ["spaces around an equals sign", `<Delete a${" ".repeat(many)}=${" ".repeat(many)}b`],
    ["quotes", `<Delete a=${'"'.repeat(many)}`],
    ["letters of a name", `<${"a".repeat(many)}`],
    ["declarations of namespaces", `<Delete>${'<a xmlns="" xmlns:b="" xmlns:c=""/>'.repeat(9000)}</Delete `],
    ["small texts", `<Delete>${"<![CDATA[a]]>".repeat(many / 13)}<`],
    ["carriage returns", `<Delete>${"\r".repeat(many)}<`],
  ])("reads two megabytes of %s in linear time", (_, text) => {
    // Quadratic time would exceed the timeout of the test.
    expect(codeOf(() => read(text))).toBe("MALFORMED_XML");
  });

  it("crashes on no document, however it was damaged", () => {
    const document = `<?xml version="1.0"?><Delete xmlns="${NAMESPACE}"><Quiet>true</Quiet><Object><Key>a&amp;<![CDATA[b]]></Key></Object></Delete>`;
    const damage = fc.record({
      at: fc.nat(document.length),
      cut: fc.nat(9),
      insert: fc.constantFrom("<", ">", "&", '"', "/", "!", "?", "]]>", "<!--", "&#", "\0", "=", ":", " "),
    });
    fc.assert(
      fc.property(damage, ({ at, cut, insert }) => {
        const outcome = codeOf(() => read(document.slice(0, at) + insert + document.slice(at + cut)));
        return outcome === "MALFORMED_XML" || outcome.startsWith("read ");
      }),
      { seed: 1, numRuns: 3000 },
    );
  });
});

describe("the writer", () => {
  it("writes a document in S3's namespace, without the elements that have no content", () => {
    const text = xmlDocument("Result", {
      Name: "a",
      Marker: undefined,
      Prefix: "",
      KeyCount: 1,
      IsTruncated: false,
      At: new Date(0),
      Owner: { "@xmlns:xsi": 'a"b', ID: "x" },
      Set: { Tag: [] },
      Part: [{ Size: 1 }, { Size: 2 }],
    });
    expect(text).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Result xmlns="${NAMESPACE}"><Name>a</Name><Prefix></Prefix><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><At>1970-01-01T00:00:00.000Z</At><Owner xmlns:xsi="a&quot;b"><ID>x</ID></Owner><Set></Set><Part><Size>1</Size></Part><Part><Size>2</Size></Part></Result>`,
    );
  });

  it("writes what the reader reads back", () => {
    const readable = anyText().filter((text) => !/[^\t\n\r\x20-\ufffd]/.test(text));
    fc.assert(
      fc.property(readable, (text) => {
        const root = read(xmlDocument("Delete", { "@a": text, Key: text }));
        return requiredText(root, "Key") === text;
      }),
      { seed: 2, numRuns: 2000 },
    );
  });

  it("writes control characters as S3 does: by references that XML 1.0 does not have", () => {
    expect(xmlDocument("a", { Key: "\u0001\t\n\r\u001f\ufffe" })).toContain("<Key>&#x1;\t\n&#13;&#x1f;&#xfffe;</Key>");
  });

  it("writes errors that every parser can read, whatever the request has held", () => {
    expect(errorBody([["Key", "<\u0001>"]])).toContain("<Key>&lt;\ufffd&gt;</Key>");
  });

  it("encodes keys for URLs so that both kinds of decoder read them", () => {
    const key = "a b+c/\u00e9\u0001(1)'*!~&=%2F\u{1f511}";
    expect(urlEncoded(key)).toBe("a%20b%2Bc/%C3%A9%01%281%29%27%2A%21~%26%3D%252F%F0%9F%94%91");
    expect(decodeURIComponent(urlEncoded(key))).toBe(key);
    expect(new URLSearchParams(`k=${urlEncoded(key)}`).get("k")).toBe(key);
  });
});
