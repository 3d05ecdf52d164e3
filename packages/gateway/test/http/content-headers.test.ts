import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../../../tools/any-text.ts";
import { contentDisposition, parseContentDisposition } from "../../src/http/content-disposition.ts";
import {
  cacheControl,
  contentHeaders,
  isHeaderValue,
  isInlineSafe,
  isReceivedValue,
} from "../../src/http/content-headers.ts";

describe("safe serving", () => {
  it.each([
    "image/png",
    "IMAGE/JPEG",
    "image/webp",
    "audio/mpeg",
    "video/mp4",
    'video/mp4; codecs="avc1.42E01E"',
    "text/plain",
    "text/plain; charset=utf-8",
    "text/plain;charset=utf-8",
    " image/png",
    "application/pdf",
    "application/json",
  ])("shows %j inline", (type) => {
    expect(isInlineSafe(type)).toBe(true);
    for (const contentDisposition of ["inline", 'inline; filename="a.txt"', 'attachment; filename="a.txt"']) {
      const signed = contentHeaders({ contentType: type }, { overrides: { contentDisposition } });
      expect(Object.fromEntries(signed)["content-disposition"]).toBe(contentDisposition);
    }
    expect(Object.fromEntries(contentHeaders({ contentType: type }))).not.toHaveProperty("content-disposition");
  });

  // CVE-2018-16477, CVE-2026-28683: uploaded HTML and SVG ran in the origin that served it.
  it.each([
    "text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "text/xml",
    "text/javascript",
    "application/javascript",
    "text/css",
    "application/octet-stream",
    "multipart/x-mixed-replace",
    "video/x+xml",
    "AUDIO/X+XML; a=b",
    "image/png, text/html",
    "image/png;,text/html",
    "image/png text/html",
    "text/html, image/png",
    "text/html;image/png",
    "x-video/html",
    "x-audio/html",
    "audio/",
    "image/png; a=b, text/html",
    'text/plain; charset=utf-7; x="<"',
    "",
    "*/*",
  ])("sends %j as an attachment in a sandbox", (type) => {
    const headers = Object.fromEntries(contentHeaders({ contentType: type }));
    expect(headers["content-disposition"]).toBe("attachment");
    expect(headers["content-security-policy"]).toBe("sandbox; default-src 'none'");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["referrer-policy"]).toBe("no-referrer");
  });

  it("sends an active type as an attachment and keeps its file name", () => {
    const disposition = (value: string) =>
      Object.fromEntries(contentHeaders({ contentType: "text/html", contentDisposition: value }))[
        "content-disposition"
      ];
    expect(disposition('inline; filename="page.html"')).toBe('attachment; filename="page.html"');
    expect(disposition("inline; filename*=UTF-8''na%C3%AFve.html")).toBe(
      "attachment; filename=\"na_ve.html\"; filename*=UTF-8''na%C3%AFve.html",
    );
    // In UTF-8 as curl sends it, and in Latin-1 as browsers do.
    for (const bytes of ["na\u00c3\u00afve.html", "na\u00efve.html"]) {
      for (const type of ["inline", "attachment"]) {
        expect(disposition(`${type}; filename="${bytes}"`)).toBe(
          "attachment; filename=\"na_ve.html\"; filename*=UTF-8''na%C3%AFve.html",
        );
      }
    }
    expect(disposition("attachment; filename=a.html")).toBe("attachment; filename=a.html");
    expect(disposition("INLINE")).toBe("attachment");
    for (const nameless of ["", '"page.html"', 'inline; filename=""']) expect(disposition(nameless)).toBe("attachment");
    expect(disposition("inline; FileName=page.html")).toBe('attachment; filename="page.html"');
    expect(disposition("inline; filename=a.html; filename*=x-utf-8''b.html")).toBe('attachment; filename="a.html"');
    expect(disposition("inline;;")).toBe("attachment");
    expect(disposition("ATTACHMENT")).toBe("ATTACHMENT");
  });

  it("checks the overridden type, not the stored one", () => {
    const headers = contentHeaders({ contentType: "image/png" }, { overrides: { contentType: "text/html" } });
    expect(Object.fromEntries(headers)["content-disposition"]).toBe("attachment");
  });

  it("replaces stored fields by overrides", () => {
    const stored = { contentType: "image/png", contentEncoding: "gzip", contentLanguage: "de", expires: "never" };
    const headers = contentHeaders(stored, { overrides: { contentLanguage: "en" }, secondsLeft: 10 });
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-encoding": "gzip",
      "content-language": "en",
      expires: "never",
      "cache-control": "private, max-age=10",
    });
  });

  it("sends stored fields and overrides unchanged for asStored", () => {
    const all = (text: string) => ({
      contentType: `image/${text}`,
      contentDisposition: `inline; filename=${text}`,
      contentEncoding: text,
      contentLanguage: text,
      cacheControl: "no-store",
      expires: text,
    });
    const sent = (...input: Parameters<typeof contentHeaders>) => Object.fromEntries(contentHeaders(...input));
    const stored = { ...all("png"), cacheControl: "no-cache, no-store" };
    const { cacheControl: _, ...others } = all("gif");
    expect(sent({ contentType: "image/gif" }, { overrides: all("gif") })).toEqual(sent(all("gif")));
    expect(sent(stored, { overrides: all("gif") })).toEqual(sent(all("gif")));
    expect(sent(stored, { overrides: others })).toEqual(sent({ ...others, cacheControl: stored.cacheControl }));
    expect(Object.values(sent(stored))).toEqual([...Object.values(stored), "nosniff", "no-referrer"]);
  });

  it.each(["a\r\nset-cookie: x", "a\nb", "a\0b", "a\x7fb", "a\x85b", "漢"])("refuses %j as a header value", (value) => {
    expect(isHeaderValue(value)).toBe(false);
  });

  it.each(["", 'attachment; filename="a b.txt"', "caf\u00e9", "a\tb"])("accepts %j as a header value", (value) => {
    expect(isHeaderValue(value)).toBe(true);
  });
});

describe("isReceivedValue", () => {
  const bytes = (text: string) => Buffer.from(text).toString("latin1");

  it.each([...["\u00c4\u2013.pdf", "\u65e5\u672c", "\u{1f600}", "\u00fc"].map(bytes), "caf\u00e9", "", "a\tb"])(
    "may be %j",
    (value) => {
      expect(isReceivedValue(value)).toBe(true);
    },
  );

  // A control alone, in UTF-8 and beside it, and text that is not bytes.
  it.each(["a\u0085", bytes("a\u0085b"), `${bytes("\u00c4")}\n`, `${bytes("\u00c4")}\x7f`, "\u65e5", "\u00c3\u65bc"])(
    "may not be %j",
    (value) => {
      expect(isReceivedValue(value)).toBe(false);
    },
  );
});

describe("Cache-Control", () => {
  it.each([
    [undefined, 900, "private, max-age=900"],
    [undefined, 0.9, "private, max-age=0"],
    [undefined, -5, "private, max-age=0"],
    [undefined, undefined, "private, no-cache"],
    ["max-age=60", 900, "private, max-age=60"],
    ["public, max-age=31536000, immutable", 900, "private, max-age=900, immutable"],
    ["s-maxage=31536000", 900, "private, max-age=900"],
    ["no-store", 900, "no-store"],
    [undefined, 1.9, "private, max-age=1"],
    ["private, max-age=60, must-revalidate", 900, "private, max-age=60, must-revalidate"],
    ["PUBLIC, Max-Age=60", 900, "private, max-age=60"],
    ["No-Store, no-cache, must-revalidate, no-transform, private", 900, undefined],
    ["no-store, public", 900, "private, max-age=900, no-store"],
    ["no-cache", 900, "private, max-age=900, no-cache"],
    ["no-transform", undefined, "private, no-transform, no-cache"],
    ["max-age=60", undefined, "private, max-age=60"],
    ["max-age=abc", 900, "private, max-age=900"],
    ["max-age=1h", 900, "private, max-age=900"],
    ["max-age=", 900, "private, max-age=900"],
    ["x-max-age=1", 900, "private, max-age=900"],
    ['max-age="60"', 900, "private, max-age=60"],
  ])("turns %j with %j seconds left into %j", (wish, left, sent) => {
    expect(cacheControl(wish, left)).toBe(sent ?? wish);
  });

  it("never outlives the grant, and is never shared", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat({ max: 604800 }), (wish, left) => {
        const sent = cacheControl(wish, left);
        if (sent === wish) return expect(wish.toLowerCase()).toContain("no-store");
        expect(sent).toMatch(/^private, max-age=/);
        expect(Number(/max-age=([0-9]+)/.exec(sent)?.[1])).toBeLessThanOrEqual(left);
      }),
    );
  });
});

describe("Content-Disposition", () => {
  it("reads back every file name that it writes in ASCII, without a path", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
        const value = contentDisposition("attachment", name);
        expect(value).toMatch(/^[\x20-\x7e]*$/);
        expect(parseContentDisposition(value)).toEqual({ type: "attachment", filename: name.replace(/[/\\]/g, "_") });
      }),
    );
  });

  it.each(["../../a.zip", "..\\..\\a.zip", "/etc/ü"])("writes no slash and no backslash of the name %j", (name) => {
    expect(decodeURIComponent(contentDisposition("attachment", name))).not.toMatch(/[/\\]/);
  });

  it("escapes characters by RFC 8187", () => {
    expect(contentDisposition("attachment", "(1)*\u00fc'.txt")).toBe(
      "attachment; filename=\"(1)*_'.txt\"; filename*=UTF-8''%281%29%2A%C3%BC%27.txt",
    );
  });

  it("writes no line break, even for half a surrogate pair", () => {
    fc.assert(
      fc.property(anyText(), (name) => {
        expect(contentDisposition("inline", `${name}\r\n\ud800`)).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });
});
