/**
 * The part of Vitest that the library's tests use, for runtimes that Vitest does not run in, and for newer Nodes, where it took nearly as
 * long as the tests. `expect` is Vitest's own; what is written here only collects the tests and calls them in their order.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  customMatchers,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import * as chai from "chai";

export interface Report {
  readonly passed: number;
  /** Names of what is marked to be skipped here. */
  readonly skipped: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: string }[];
}

type Body = (...values: readonly never[]) => unknown;
type Hook = () => unknown;

interface Block {
  readonly name: string;
  readonly skipped: boolean;
  readonly hooks: Readonly<Record<"beforeAll" | "afterAll" | "beforeEach" | "afterEach", Hook[]>>;
  readonly children: (Block | Test)[];
}

interface Test {
  readonly name: string;
  readonly skipped: boolean;
  readonly body: () => unknown;
}

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

type Expect = Parameters<typeof setState>[1] & { extend(matchers: object): void };

const makeExpect = (value: unknown, message?: string): unknown => {
  setState({ assertionCalls: getState(expect).assertionCalls + 1 }, expect);
  return chai.expect(value, message);
};
// The types of Chai and of Vitest meet in their plug-ins only.
export const expect = Object.assign(makeExpect, chai.expect) as never as Expect;
Object.assign(expect, Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT));
setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null }, expect);
expect.extend = (matchers) =>
  (chai.expect as never as { extend(of: Expect, matchers: object): void }).extend(expect, matchers);
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, configurable: true });
expect.extend(customMatchers);

function block(name: string, skipped: boolean): Block {
  return { name, skipped, hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] }, children: [] };
}

let current = block("", false);

function describeBlock(name: string, body: () => unknown, skipped: boolean): void {
  const outer = current;
  const inner = block(name, skipped);
  outer.children.push(inner);
  current = inner;
  try {
    if (!skipped) body();
  } finally {
    current = outer;
  }
}

function addTest(name: string, body: () => unknown, skipped: boolean): void {
  current.children.push({ name, body, skipped });
}

/** `%s`, `%j` and `$name` as Vitest fills them in. */
function title(pattern: string, row: unknown, index: number): string {
  const values = Array.isArray(row) ? [...row] : [row];
  return pattern.replace(/%[sdjoi#%]|\$([A-Za-z]+)/g, (token, name: string | undefined) => {
    if (token === "%#") return String(index);
    if (token === "%%") return "%";
    if (name !== undefined) return String(Reflect.get(Object(row), name));
    const value = values.shift();
    return typeof value === "string" && token !== "%j" ? value : JSON.stringify(value);
  });
}

type Adder = (name: string, body: () => unknown, skipped: boolean) => void;

/** The call with its variants: `each`, `skip`, `skipIf`, `runIf`, `for`. */
function callable(add: Adder) {
  const plain = (name: string, ...rest: readonly unknown[]): void => add(name, bodyOf(rest), false);
  const each =
    (rows: readonly unknown[], spread = true) =>
    (pattern: string, ...rest: readonly unknown[]): void => {
      const body = bodyOf(rest) as Body;
      for (const [index, row] of rows.entries()) {
        const values = spread && Array.isArray(row) ? row : [row];
        add(title(pattern, row, index), () => body(...(values as never[])), false);
      }
    };
  const skip = (name: string, ...rest: readonly unknown[]): void => add(name, bodyOf(rest), true);
  return Object.assign(plain, {
    each: (rows: readonly unknown[]) => each(rows),
    for: (rows: readonly unknown[]) => each(rows, false),
    skip,
    skipIf: (condition: unknown) => (condition ? skip : plain),
    runIf: (condition: unknown) => (condition ? plain : skip),
  });
}

// `it(name, body)`, `it(name, body, timeout)` and `it(name, options, body)`.
function bodyOf(rest: readonly unknown[]): () => unknown {
  return rest.find((item) => typeof item === "function") as () => unknown;
}

export const it = callable(addTest);
export const test = it;
export const describe = callable(describeBlock);
export const beforeAll = (hook: Hook): void => void current.hooks.beforeAll.push(hook);
export const afterAll = (hook: Hook): void => void current.hooks.afterAll.push(hook);
export const beforeEach = (hook: Hook): void => void current.hooks.beforeEach.push(hook);
export const afterEach = (hook: Hook): void => void current.hooks.afterEach.push(hook);

/** The hooks of the running test. One test runs at a time. */
let finishers: Hook[] = [];
export const onTestFinished = (hook: Hook): void => void finishers.push(hook);

/** Loads the files one after the other and runs what they hold. */
export async function run(files: Readonly<Record<string, () => Promise<unknown>>>): Promise<Report> {
  // A report has messages only. Of hundreds of thousands of refusals, one place each is enough for the test that reads it.
  Error.stackTraceLimit = 1;
  const report = { passed: 0, skipped: [] as string[], failed: [] as { name: string; error: string }[] };
  for (const [file, load] of Object.entries(files)) {
    current = block(file, false);
    const root = current;
    try {
      await load();
      await runBlock(root, file, [], report);
    } catch (error) {
      report.failed.push({ name: file, error: text(error) });
    }
  }
  return report;
}

async function runBlock(
  { skipped, hooks, children }: Block,
  path: string,
  outer: readonly Block["hooks"][],
  report: { passed: number; readonly skipped: string[]; readonly failed: { name: string; error: string }[] },
): Promise<void> {
  if (skipped) {
    report.skipped.push(path);
    return;
  }
  const around = [...outer, hooks];
  for (const hook of hooks.beforeAll) await hook();
  for (const child of children) {
    const name = `${path} > ${child.name}`;
    if ("children" in child) {
      await runBlock(child, name, around, report);
      continue;
    }
    if (child.skipped) {
      report.skipped.push(name);
      continue;
    }
    try {
      for (const { beforeEach } of around) for (const hook of beforeEach) await hook();
      await child.body();
      report.passed += 1;
    } catch (error) {
      report.failed.push({ name, error: text(error) });
    } finally {
      for (const { afterEach } of around) for (const hook of afterEach) await hook();
      // In Vitest's order: what was opened last is closed first.
      for (const hook of finishers.reverse()) await hook();
      finishers = [];
    }
  }
  for (const hook of hooks.afterAll) await hook();
}

function text(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 400) : String(error);
}
