import { encodeBytes } from "../sigv4.ts";
import type { Random } from "./seeded.ts";

/** One URL to sign for an edge, with options that every scheme has. */
export interface EdgeWish {
  readonly origin: string;
  /** Encoded, as on the wire. */
  readonly path: string;
  /** Decoded; each name once. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Whole seconds since 1970. */
  readonly signedAt: number;
  readonly expiresIn: number;
}

const ORIGINS = ["https://files.example.com", "http://127.0.0.1:8080", "https://cdn.example.org:8443"] as const;
const SEGMENTS = [
  "a.txt",
  "talks",
  "2026",
  "keynote.mp4",
  "seg-1.ts",
  "x_y",
  "Über uns",
  "日本語",
  "a b",
  "100%",
  "(1)!",
  "a;v=1,2",
  "a+b",
  "u@h:1",
  "$",
  "e\u0301",
  "🚀",
];
const NAMES = ["w", "h", "name", "lang", "z", "B", "_a", "x1", "fit"] as const;
const VALUES = [
  "",
  "1",
  "400",
  "a b",
  "a+b",
  "Größe",
  "100%",
  "x=y",
  "1&2",
  "日本",
  "a/b?c",
  "~-_.!*()",
  "🚀",
] as const;

export interface EdgeKind {
  /** Which path segments a scheme can be asked to sign. */
  readonly segment?: (segment: string) => boolean;
  readonly value?: (value: string) => boolean;
  readonly query?: boolean;
}

const any = (): boolean => true;

export function randomEdgeWish(random: Random, { segment = any, value = any, query = true }: EdgeKind = {}): EdgeWish {
  const segments = SEGMENTS.filter(segment);
  const values = VALUES.filter(value);
  const depth = 1 + random.below(4);
  const path = Array.from({ length: depth }, () => `/${encodeSegment(random.pick(segments))}`).join("");
  const names = query ? NAMES.filter(() => random.chance(0.3)) : [];
  return {
    origin: random.pick(ORIGINS),
    path,
    parameters: names.map((name) => [name, random.pick(values)]),
    signedAt: 1_700_000_000 + random.below(200_000_000),
    expiresIn: 1 + random.below(1_000_000),
  };
}

/** Percent-encodes what no path can hold and leaves the rest. */
function encodeSegment(segment: string): string {
  return segment.replace(/[^A-Za-z0-9\-._~!$&()*+,;=:@]/gu, (character) => encodeBytes(character));
}

export function wishedTarget({ path, parameters }: EdgeWish): string {
  const query = parameters.map(([name, value]) => `${encodeBytes(name)}=${encodeBytes(value)}`).join("&");
  return query === "" ? path : `${path}?${query}`;
}

export const wishedUrl = (wish: EdgeWish): string => wish.origin + wishedTarget(wish);
export const wishedEnd = ({ signedAt, expiresIn }: EdgeWish): Date => new Date((signedAt + expiresIn) * 1000);
export const wishedClock =
  ({ signedAt }: EdgeWish) =>
  () =>
    new Date(signedAt * 1000);
