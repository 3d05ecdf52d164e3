import { type Finding, findingReader } from "./finding.ts";
import type { OnUnreadable, Source } from "./sources.ts";
import { countLines, textRegions } from "./text-regions.ts";
import { type RawUrl, urlsInText } from "./urls-in-text.ts";

/** Where something was found. */
export interface Place {
  readonly file: string;
  /** From 1; missing in a history, where a line has no number that anybody could look up. */
  readonly line?: number | undefined;
  readonly commit?: string | undefined;
}

export interface PlacedFinding extends Finding {
  readonly place: Place;
}

export interface ScanOptions {
  readonly now: Date;
  readonly onUnreadable: OnUnreadable;
}

/** Finds the presigned URLs in texts, each one once. */
export async function* scan(
  sources: AsyncIterable<Source>,
  { now, onUnreadable }: ScanOptions,
): AsyncGenerator<PlacedFinding> {
  const read = findingReader();
  // Most URLs of a log are not signed. To be told so by an error is cheap but for the trace that nobody reads.
  // Where Node froze its own objects it stays as it is.
  Reflect.set(Error, "stackTraceLimit", 0);
  for await (const source of sources) {
    try {
      yield* scanSource(source, (raw) => read(raw, now));
    } catch (error) {
      if (!isReadError(error)) throw error;
      onUnreadable(source.name, error);
    }
  }
}

/** What the system says of a file, and zlib of one that is damaged, cut short, or not compressed at all. */
function isReadError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && ("syscall" in error || ("code" in error && /^Z_/.test(String(error.code))));
}

async function* scanSource(
  { name, chunks, isHistory }: Source,
  read: (raw: string) => Promise<Finding | undefined>,
): AsyncGenerator<PlacedFinding> {
  const placeOf = isHistory ? historyPlaces(name) : filePlaces(name);
  for await (const region of textRegions(chunks)) {
    const { line } = region;
    const text = isHistory ? withoutZeros(region.text) : region.text;
    const places = placeOf(text, line);
    for (const url of urlsInText(text)) {
      const finding = await read(url.raw);
      if (finding !== undefined) yield { ...finding, place: places(url) };
    }
    // What a region says of the place holds for the next one, too.
    places({ index: text.length, raw: "" });
  }
}

/** The lines of UTF-16 files stand in a history among those of others, where nothing tells them: in ASCII it is a zero that they have more. */
function withoutZeros(text: string): string {
  return text.includes("\0") ? text.replace(/\0(?!commit [0-9a-f]{40})/g, "") : text;
}

/** Tells the places in one region, asked for in their order. */
type Places = (url: RawUrl) => Place;

function filePlaces(file: string): (text: string, line: number) => Places {
  return (text, first) => {
    let line = first;
    let at = 0;
    return ({ index }) => {
      line += countLines(text, { from: at, to: index });
      at = index;
      return { file, line };
    };
  };
}

/** `git log` names the commit before its changes, and the file before its lines. */
function historyPlaces(repository: string): (text: string) => Places {
  let place: Place = { file: repository };
  return (text) => {
    const marks = text.matchAll(/^(?:\0commit ([0-9a-f]{40,64})|\+\+\+ b\/(.*)|--- a\/(.*))$/gm);
    let mark = marks.next();
    return ({ index }) => {
      while (mark.done !== true && mark.value.index <= index) {
        const [, commit, added, removed] = mark.value;
        place = commit === undefined ? { ...place, file: added ?? removed ?? "" } : { file: "(message)", commit };
        mark = marks.next();
      }
      return place;
    };
  };
}
