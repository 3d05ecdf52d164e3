import { expect, test } from "vitest";
import { linkText } from "../src/commands/links/index.ts";
import { linkEntry } from "../src/commands/links/link-entry.ts";
import { daypass, temporaryFolder } from "./command.ts";

const link: Parameters<typeof linkText>[0] = {
  id: "x",
  url: "https://a.example/l/x",
  kind: "object",
  target: "b/k",
  status: "open",
  public: false,
  owner: "operator",
  createdAt: "2026-12-01",
  startsAt: "2026-12-01",
  expiresAt: "2026-12-08",
  used: 1,
  givenBack: 0,
  heldBytes: 0,
  deliveries: { started: 1, completed: 1 },
  password: false,
  networks: [],
  preview: true,
  hidden: false,
  showSender: false,
  follow: false,
  handOver: false,
};

test.each([
  ["counts nothing", {}, "open, not counted"],
  ["counts deliveries", { maxDeliveries: 3 }, "open, 1 of 3 deliveries used"],
  [
    "names deliveries that were given back",
    { maxDeliveries: 1, givenBack: 2 },
    "open, 1 of 1 deliveries used, 2 given back",
  ],
  ["hands over", { maxDeliveries: 3, handOver: true }, "open, at most 3 hand-overs, 1 used"],
  ["hands over without a limit", { handOver: true }, "open, not counted"],
])("says what limits a link that %s", (_, more, text) => {
  expect(linkText({ ...link, ...more })).toContain(text);
});

test.each([
  [["b/a"], "1 file"],
  [["b/a", "b/b/", "b/c", "b/d"], "3 files and 1 folder"],
  [["b/a/", "b/b/"], "2 folders"],
])("says how many files and folders a set has: %j", (targets, text) => {
  const set = { ...link, kind: "set" as const, target: undefined, targets };
  expect(linkText(set).split("\n")[1]).toBe(text);
  expect(linkEntry(set).split("\n")[1]).toBe(`  ${text}`);
});

test("lists a link on a terminal with its address whole and its names clean and cut", () => {
  const url = `https://files.example.com/l/${"x".repeat(60)}`;
  const entry = linkEntry(
    { ...link, url, status: "used-up", maxDeliveries: 3, label: `\u202e\u001b[2J${"n".repeat(4096)}` },
    40,
  );
  const [facts = "", title = "", ...more] = entry.split("\n");
  expect([facts, more]).toEqual([`used up    1 of 3    2026-12-08  ${url}`, []]);
  expect(title).toMatch(/^ {2}\\u202e\\u001b\[2Jn+…$/);
  expect(title.length).toBe(40);
});

test("lists the address of each recipient on a terminal", () => {
  const person = {
    name: "Ann\u0007",
    url: "https://a.example/l/ann",
    used: 0,
    givenBack: 0,
    deliveries: link.deliveries,
  };
  expect(linkEntry({ ...link, status: "revoked", recipients: [person] })).toBe(
    "withdrawn  no limit  2026-12-08\n  b/k\n  https://a.example/l/ann  Ann\\u0007",
  );
});

test("refuses an edit of what only a new link takes", async () => {
  const args = (option: string) => ["links", "edit", "link", ...option.split(" "), "--state", temporaryFolder()];
  for (const option of ["--slug a-slug", "--public", "--hand-over", "--to Ann"]) {
    const { status, stderr } = await daypass(args(option));
    expect([status, stderr]).toEqual([2, expect.stringContaining(`${option.split(" ")[0]} is only for a new link`)]);
  }
});
