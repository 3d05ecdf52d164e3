import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const guide = new URL("../../docs/guide/", import.meta.url);
const read = (url: URL): string => readFileSync(url, "utf8");
// A block that a comment names is a copy of that file: the examples are the source.
const COPY = /<!-- (examples\/\S+) -->\n```\w+\n([\s\S]*?)\n```/g;

const TYPESCRIPT = /^```ts\n([\s\S]*?)\n```/gm;

const LINK = /\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]*))?\)/g;

const root = new URL("../../", import.meta.url);
const markdownIn = (folder: string): readonly string[] =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}${name}`);
const packages = ["packages/daypass/", "packages/gateway/", "packages/cli/"];
const folders = ["", "docs/", "docs/guide/", "docs/schemes/", "docs/drivers/", "docs/spec/", "docs/decisions/"];
const documents = [...folders, ...packages].flatMap(markdownIn);

/** What a file shows as samples: a page as it is, a source in its docstrings. */
const withSamples: readonly (readonly [path: string, text: string])[] = [
  ...documents.map((page) => [page, read(new URL(page, root))] as const),
  ...packages.flatMap((name) =>
    readdirSync(new URL(`${name}src`, root), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map(
        (path) => [`${name}src/${path}`, read(new URL(`${name}src/${path}`, root)).replace(/^ *\* ?/gm, "")] as const,
      ),
  ),
];

/** The names by which GitHub links to the headings of a page. */
function anchorsOf(page: string): readonly string[] {
  const seen = new Map<string, number>();
  const text = read(new URL(page, root)).replace(/^```[\s\S]*?^```/gm, "");
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => {
    const name = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  });
}

const pages = readdirSync(guide).filter((name) => name.endsWith(".md"));
const copies = pages.flatMap((page) =>
  [...read(new URL(page, guide)).matchAll(COPY)].map(([, file = "", code]) => ({ page, file, code: `${code}\n` })),
);

describe("the guide", () => {
  it.each(copies)("shows $file in $page as it is run", ({ file, code }) => {
    expect(code).toBe(read(new URL(`../../${file}`, import.meta.url)));
  });

  it("shows every example", () => {
    const files = ["protect", "routes", "worker", "browser-upload"].flatMap((folder) =>
      readdirSync(new URL(`../${folder}`, import.meta.url)).map((name) => `examples/${folder}/${name}`),
    );
    expect(copies.map(({ file }) => file).sort()).toEqual(files.sort());
  });
});

describe("the documentation", () => {
  it("has only TypeScript that compiles, in pages, READMEs and docstrings", () => {
    // Below node_modules no other project sees the blocks, and `daypass` is found from there as from a program.
    const folder = new URL("../node_modules/.guide/", import.meta.url);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const extended = {
      extends: "../../consumers/tsconfig.nodenext.node.json",
      include: ["*.mts"],
      files: [],
      exclude: [],
    };
    const compilerOptions = { lib: ["es2023"], types: ["node"], skipLibCheck: true };
    writeFileSync(new URL("tsconfig.json", folder), JSON.stringify({ ...extended, compilerOptions }));
    for (const [path, text] of withSamples) {
      for (const [i, block] of [...text.matchAll(TYPESCRIPT)].entries()) {
        const file = `${path.replaceAll("/", "-")}-${i + 1}.mts`;
        writeFileSync(new URL(file, folder), `${block[1]}\nexport {};\n`);
      }
    }
    const { status, stdout } = spawnSync(
      process.execPath,
      ["node_modules/typescript/bin/tsc", "-p", fileURLToPath(folder)],
      {
        cwd: fileURLToPath(new URL("..", import.meta.url)),
        encoding: "utf8",
      },
    );
    expect([status, stdout]).toEqual([0, ""]);
  });

  it.each(documents)("links only to existing pages and headings (%s)", (page) => {
    const links = [...read(new URL(page, root)).matchAll(LINK)].map(([, path = "", anchor]) => ({
      // Without a path it is a heading of this very page.
      url: path === "" ? new URL(page, root) : new URL(path, new URL(page, root)),
      anchor,
    }));
    const broken = links.filter(({ url, anchor }) => {
      if (!existsSync(url)) return true;
      return anchor !== undefined && !anchorsOf(url.href.slice(root.href.length)).includes(anchor);
    });
    expect(broken.map(({ url, anchor }) => `${url.href.slice(root.href.length)}#${anchor ?? ""}`)).toEqual([]);
  });
});
