import { describe, expect, it } from "vitest";
import { formBoundary, type MultipartLimits, readMultipart } from "../../src/http/multipart.ts";
import { MultipartError } from "../../src/http/multipart-reader.ts";

const LIMITS: MultipartLimits = { fieldBytes: 20_000, fieldCount: 100, restBytes: 1000 };

interface Sent {
  /** Bytes of each chunk; by default all. */
  readonly piece?: number;
  readonly limits?: Partial<MultipartLimits>;
}

/** Returns the form, or its fault. */
async function read(form: string | Buffer, { piece = Number.POSITIVE_INFINITY, limits }: Sent = {}) {
  async function* body() {
    const bytes = Buffer.from(form);
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
  }
  try {
    const { fields, fileName, file } = await readMultipart(body(), "b", { ...LIMITS, ...limits });
    const pieces = [];
    for await (const bytes of file) pieces.push(Buffer.from(bytes));
    return { fields, fileName, file: Buffer.concat(pieces).toString() };
  } catch (error) {
    if (error instanceof MultipartError) return error.fault;
    throw error;
  }
}

const part = (head: string, value = "1"): string => `--b\r\n${head}\r\n\r\n${value}\r\n`;
const field = (name: string, value?: string): string => part(`Content-Disposition: form-data; name="${name}"`, value);
const FILE = field("file", "x");
const END = "--b--\r\n";

describe("a form", () => {
  it("reads the same form from any chunks", async () => {
    const content = "-\r--b\r--b\r\n--a\r\n-\r\n--\r\n\r\n";
    const form = `${field("a", "1\r\n--2")}${field("e", "")}${field("bom", "\ufeff")}${field("file", content)}${field("z")}${END}\r\n\n`;
    for (const piece of [1, 2, 3, 5, 64, Number.POSITIVE_INFINITY]) {
      expect([piece, await read(form, { piece })]).toEqual([
        piece,
        {
          fields: [
            ["a", "1\r\n--2"],
            ["e", ""],
            ["bom", "\ufeff"],
          ],
          fileName: { text: undefined },
          file: content,
        },
      ]);
    }
  });

  it("refuses a truncated form", async () => {
    const form = `${field("a")}${FILE}${END}`;
    for (let end = 0; end < form.length - 2; end++) {
      expect([end, await read(form.slice(0, end), { piece: 7 })]).toEqual([end, "incomplete"]);
    }
    expect(await read(form.slice(0, -2))).toMatchObject({ file: "x" });
  });

  it.each<[head: string, name: string]>([
    ['CONTENT-disposition:FORM-data; NAME="a"', "a"],
    ["Content-Disposition: form-data;name=a", "a"],
    ['Content-Disposition: form-data; name="a\\"b"', 'a"b'],
    ['Content-Disposition: form-data; name="profile"', "profile"],
    ['Content-Disposition: form-data; name="files"', "files"],
    ['Content-Disposition: form-data; name="a" ; filename="f"\r\nContent-Type: text/plain', "a"],
    ['Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: 8BIT', "a"],
  ])("reads a field with the head %j", async (head, name) => {
    expect(await read(part(head) + FILE + END)).toMatchObject({ fields: [[name, "1"]], file: "x" });
  });

  it.each<[name: string, fileName: unknown]>([
    ['"file"; filename="C:\\dir\\a.txt"', { text: "C:\\dir\\a.txt" }],
    ['"FILE"; filename="é"', { text: "é" }],
    ["file", { text: undefined }],
  ])("reads a file with the name %s", async (name, fileName) => {
    const head = `Content-Disposition: form-data; name=${name}`;
    expect(await read(part(head, "") + END)).toEqual({ fields: [], fileName, file: "" });
  });

  it.each(["x", "\r\nx", "\r\n--b\r\n", "--b--"])("ignores %j after its end, as RFC 2046 says", async (rest) => {
    expect(await read(FILE + END + rest)).toMatchObject({ file: "x" });
    expect(await read(FILE + END + rest, { piece: 1 })).toMatchObject({ file: "x" });
  });

  it("accepts another encoding for the file name only", async () => {
    const named = (text: string): Buffer => Buffer.from(text, "latin1");
    const file = part('Content-Disposition: form-data; name="file"; filename="\xe9"', "x");
    expect(await read(named(file + END))).toMatchObject({ fileName: "not-utf-8", file: "x" });
    expect(await read(named(field("\xe9") + FILE + END))).toBe("malformed");
    expect(await read(named(field("a", "\xe9") + FILE + END))).toBe("malformed");
  });

  it.each<[what: string, form: string]>([
    ["half an end", FILE + END.replace("b--", "b-x")],
    ["another end", FILE + END.replace("b--", "bx-")],
    ["a boundary with a bare line feed", FILE.replace("--b\r\n", "--bx\n") + END],
    ["a boundary with a bare carriage return", FILE.replace("--b\r\n", "--b\rx") + END],
    ["a field twice", field("a") + field("A") + FILE + END],
    ["a field twice in capitals", field("A") + field("a") + FILE + END],
    ["a value that begins with the boundary", field("a", "--b") + FILE + END],
    ["a file that begins with the boundary", field("file", "--b") + END],
    ["a later value that does", FILE + field("a", "--b") + END],
    ["no name", part("Content-Disposition: form-data") + FILE + END],
    ["no name but another", part('Content-Disposition: form-data; filename="a"') + FILE + END],
    ["an empty name", field("") + FILE + END],
    ["two names", part('Content-Disposition: form-data; name="a"; NAME="b"') + FILE + END],
    ["no disposition", part("Content-Type: text/plain") + FILE + END],
    [
      "two dispositions",
      field("a").replace("\r\n\r\n", '\r\nContent-Disposition: form-data; name="b"\r\n\r\n') + FILE + END,
    ],
    ["another disposition", field("a").replace("form-data", "x-form-data") + FILE + END],
    ["a disposition and more", field("a").replace("form-data;", "form-data; x; ") + FILE + END],
    ["a name and more", field("a").replace('"a"', '"a" x') + FILE + END],
    ["a folded line", field("a").replace("; name", ";\r\n name") + FILE + END],
    ["a line that begins with a space", field("a").replace("\r\n\r\n", "\r\n X: y\r\n\r\n") + FILE + END],
    ["a line without a name", field("a").replace("\r\n\r\n", "\r\n: x\r\n\r\n") + FILE + END],
    ["a bare line feed in a line", field("a").replace("\r\n\r\n", "\r\nX: a\nb\r\n\r\n") + FILE + END],
    ...["base64", "x-7bit", "binary2"].map((encoding): [string, string] => [
      `the encoding ${encoding}`,
      field("a").replace("\r\n\r\n", `\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`) + FILE + END,
    ]),
  ])("refuses a form with %s", async (_, form) => {
    expect(await read(form)).toBe("malformed");
    expect(await read(form, { piece: 1 })).toBe("malformed");
  });

  it("refuses text before the first boundary", async () => {
    for (const piece of [1, 64]) expect(await read(`x\r\n${FILE}${END}`, { piece })).toBe("too-large");
  });

  it("refuses a form without a file and one with two", async () => {
    expect(await read(field("a") + END)).toBe("no-file");
    expect(await read(FILE + field("File") + END)).toBe("two-files");
  });

  it("stops reading at its limits", async () => {
    for (const [start, rest, limit] of [
      [field("a", "1").trimEnd(), "y", LIMITS.fieldBytes],
      [FILE + END, "\n", LIMITS.restBytes],
    ] as const) {
      let taken = 0;
      const body = (async function* () {
        yield Buffer.from(start);
        for (; taken < 100_000; taken += 100) yield Buffer.alloc(100, rest);
      })();
      const reading = readMultipart(body, "b", LIMITS).then(async ({ file }) => {
        for await (const _ of file);
      });
      await expect(reading).rejects.toMatchObject({ fault: "too-large" });
      expect(taken).toBeLessThan(limit + 200);
    }
  });

  it("accepts a form at its limits before and after the file", async () => {
    const fields = field("a") + field("b");
    const head = FILE.slice(0, FILE.indexOf("x\r\n--b"));
    // The boundary after the fields and the head of the file count as fields.
    const bytes = (fields + head.slice(0, head.lastIndexOf("\r\n\r\n") + 4)).length;
    const most = async (limits: Partial<MultipartLimits>, form = fields + FILE + END) => {
      const whole = await read(form, { limits });
      expect(await read(form, { limits, piece: 1 })).toEqual(whole);
      return typeof whole === "string" ? whole : "read";
    };
    let least = 0;
    while ((await most({ fieldBytes: least })) !== "read") least += 1;
    expect(Math.abs(least - bytes)).toBeLessThanOrEqual(4);
    expect([await most({ fieldCount: 2 }), await most({ fieldCount: 1 })]).toEqual(["read", "too-large"]);
    const headed = (length: number): string => {
      const start = 'Content-Disposition: form-data; name="a"\r\nX: ';
      return part(start + "x".repeat(length - start.length - 2)) + FILE + END;
    };
    expect([await most({}, headed(2048)), await most({}, headed(2049))]).toEqual(["read", "too-large"]);
    const after = (length: number): string => `${FILE}${END.trimEnd()}${"\n".repeat(length)}`;
    expect([await most({ restBytes: 9 }, after(9)), await most({ restBytes: 9 }, after(10))]).toEqual([
      "read",
      "too-large",
    ]);
    const ignored = FILE + field("a").repeat(30) + END;
    expect([await most({ restBytes: 3000 }, ignored), await most({}, ignored)]).toEqual(["read", "too-large"]);
  });
});

it.each<[type: string, boundary: string | undefined]>([
  ["multipart/form-data; boundary=b", "b"],
  ['Multipart/Form-Data ; charset="utf-8" ; BOUNDARY="b c"', "b c"],
  [`multipart/form-data; boundary=${"b".repeat(70)}`, "b".repeat(70)],
  [`multipart/form-data; boundary=${"b".repeat(71)}`, undefined],
  ['multipart/form-data; boundary="b "', undefined],
  ['multipart/form-data; boundary=""', undefined],
  ["multipart/form-data; boundary=b; Boundary=c", undefined],
  ["multipart/form-data; boundary=b;", undefined],
  ["multipart/form-data; boundary=b c", undefined],
  ["multipart/form-data; x; boundary=b", undefined],
  ["multipart/form-data; charset=b", undefined],
  ["multipart/form-data", undefined],
  ["multipart/form-data2; boundary=b", undefined],
  ["x-multipart/form-data; boundary=b", undefined],
  ["multipart/mixed; boundary=b", undefined],
])("reads from the type %j the boundary %j", (type, boundary) => {
  expect(formBoundary(type)).toBe(boundary);
});
