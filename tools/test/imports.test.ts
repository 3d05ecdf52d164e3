import { describe, expect, it } from "vitest";
import { faultsOf } from "../import-rules.mjs";
import { importsOf } from "../imports-of.mjs";

const lib = (path: string) => `packages/daypass/src/${path}`;
const gateway = (path: string) => `packages/gateway/src/${path}`;
const faults = (from: string, to: string, names: readonly string[] = ["x"]) => faultsOf({ from, to, names });

describe("an import is refused", () => {
  it.each<[why: string, from: string, to: string]>([
    ["of a scheme by the core", lib("core/verify.ts"), lib("schemes/s3/parse.ts")],
    ["of another scheme", lib("schemes/s3/sign.ts"), lib("schemes/oss/sign.ts")],
    ["of explain by a scheme", lib("schemes/s3/sign.ts"), lib("explain/index.ts")],
    ["of an older version by the newer one", lib("schemes/s3/sign.ts"), lib("schemes/s3/v2/canonical.ts")],
    ["of a dialect that lies beside", lib("schemes/s3/v4a/sign.ts"), lib("schemes/s3/v2/canonical.ts")],
    ["of a dialect within the one beside", lib("schemes/s3/form/v2/sign.ts"), lib("schemes/s3/v2/canonical.ts")],
    ["of one runtime's crypto", lib("schemes/s3/sign.ts"), lib("crypto/node.ts")],
    ["of the library by its own name", lib("schemes/s3/sign.ts"), "daypass/oss"],
    ["of the gateway by the library", lib("adapters/node/guard.ts"), "@daypass/gateway"],
    ["of the command line", gateway("gateway.ts"), "@daypass/cli"],
    ["of another package by its path", gateway("gateway.ts"), lib("schemes/s3/index.ts")],
    ["of a step by http/", gateway("http/range.ts"), gateway("pipeline/limits.ts")],
    ["of a logger by http/", gateway("http/range.ts"), "pino"],
    ["of a scheme by http/", gateway("http/range.ts"), "daypass/s3"],
    ["of the test gateway by a step", gateway("pipeline/respond.ts"), gateway("testing/index.ts")],
    ["of a database by a step", gateway("pipeline/respond.ts"), "@photostructure/sqlite"],
    ["of Node by a step", gateway("pipeline/respond.ts"), "node:fs"],
    ["of a dialect by a step", gateway("pipeline/respond.ts"), gateway("protocols/s3/index.ts")],
    ["of the server by an operation", gateway("operations/get-object.ts"), gateway("node/listen.ts")],
    ["of the wire by an operation", gateway("operations/get-object.ts"), gateway("protocols/protocol.ts")],
    ["of a driver by an operation", gateway("operations/get-object.ts"), gateway("storage/disk/index.ts")],
    ["of another dialect", gateway("protocols/s3/index.ts"), gateway("protocols/url/index.ts")],
    ["of S3's dialect by that of Daypass URLs", gateway("protocols/url/index.ts"), gateway("protocols/s3/index.ts")],
    ["of a dialect by what all share", gateway("protocols/page.ts"), gateway("protocols/s3/index.ts")],
    ["of a driver by a dialect", gateway("protocols/s3/index.ts"), gateway("storage/s3/index.ts")],
    ["of another driver", gateway("storage/s3/index.ts"), gateway("storage/disk/index.ts")],
    ["of disk's own files by another driver", gateway("storage/s3/wire.ts"), gateway("storage/disk/reserved-space.ts")],
    ["of a step by a driver", gateway("storage/s3/wire.ts"), gateway("pipeline/limits.ts")],
    ["of disk's database by another driver", gateway("storage/s3/wire.ts"), "@photostructure/sqlite"],
    ["of a step by the list of drivers", gateway("storage/drivers.ts"), gateway("pipeline/limits.ts")],
    ["of Node by the list of drivers", gateway("storage/drivers.ts"), "node:fs"],
    [
      "of a driver's insides by the list of drivers",
      gateway("storage/drivers.ts"),
      gateway("storage/disk/reserved-space.ts"),
    ],
    ["of a driver by its contract", gateway("storage/contract/storage.ts"), gateway("storage/disk/index.ts")],
    ["of a driver by the server", gateway("node/listen.ts"), gateway("storage/disk/index.ts")],
    ["of the test gateway by the server", gateway("node/listen.ts"), gateway("testing/index.ts")],
    ["of a driver by the composition root", gateway("gateway.ts"), gateway("storage/disk/index.ts")],
    ["of anything by a folder without a row", gateway("admin/api.ts"), gateway("http/range.ts")],
  ])("%s", (_, from, to) => {
    expect(faults(from, to)).not.toEqual([]);
  });

  it.each(["env", "argv", "exit", "stdout", "default", "*"])(
    "of %s of the process outside the command line",
    (name) => {
      for (const from of [gateway("node/log.ts"), gateway("storage/disk/layout.ts")]) {
        expect(faults(from, "node:process", [name])).toHaveLength(1);
      }
      expect(faults("packages/cli/src/main.ts", "node:process", [name])).toEqual([]);
    },
  );
});

describe("an import is let through", () => {
  it.each<[why: string, from: string, to: string]>([
    ["of the core by a scheme", lib("schemes/s3/v2/sign.ts"), lib("core/v4.ts")],
    ["of the folders above", lib("schemes/s3/form/v2/sign.ts"), lib("schemes/s3/sign.ts")],
    ["of everything by explain", lib("explain/form/kinds.ts"), lib("schemes/s3/form/v2/parse.ts")],
    ["of S3's keys by the Security Token Service", gateway("protocols/sts/index.ts"), gateway("protocols/s3/index.ts")],
    ["of an operation by a dialect", gateway("protocols/s3/task.ts"), gateway("operations/operations.ts")],
    ["of disk's own files", gateway("storage/disk/index.ts"), gateway("storage/disk/reserved-space.ts")],
    ["of the process's number", gateway("node/log.ts"), "node:process"],
  ])("%s", (_, from, to) => {
    expect(faults(from, to, ["pid"])).toEqual([]);
  });
});

describe("what a file imports", () => {
  it.each<[code: string, specifier: string, names: readonly string[]]>([
    ['import { a, type b as c } from "./x.ts";', "./x.ts", ["a", "b"]],
    ['import type { a } from "./x.ts";', "./x.ts", ["a"]],
    ['import a, * as b from "./x.ts";', "./x.ts", ["default", "*"]],
    ['import "./x.ts";', "./x.ts", []],
    ['export { env } from "node:process";', "node:process", ["env"]],
    ['export * from "./x.ts";', "./x.ts", ["*"]],
    ['export type A = import("./x.ts").A;', "./x.ts", ["*"]],
    ['const a = await import("./x.ts");', "./x.ts", ["*"]],
    ["const a = await import(`./x.ts`);", "./x.ts", ["*"]],
    ['import a = require("./x.ts");', "./x.ts", ["*"]],
    ['const a = "https://x/*";import { b } from "./x.ts";const c = "*/";', "./x.ts", ["b"]],
    ["const a = /[/*]/;import { b } from './x.ts';const c = /[*/]/;", "./x.ts", ["b"]],
  ])("is seen in %s", (code, specifier, names) => {
    expect(importsOf(code)).toEqual([{ specifier, names }]);
  });

  it("ignores comments, texts and other exports", () => {
    const code = `
      /** @example import { a } from "./x.ts"; */
      // import("./x.ts")
      const text = 'import { a } from "./x.ts"', template = \`import("./x.ts")\`;
      export { text, template };
      export const url = import.meta.url;`;
    expect(importsOf(code)).toEqual([]);
  });

  it("has to be named, so that it can be checked", () => {
    expect(() => importsOf('await import("./" + name);')).toThrow(/without expressions/);
  });
});
