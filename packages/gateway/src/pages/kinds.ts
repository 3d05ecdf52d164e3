/** What a file is, in words of people. */
import type { Kind, Messages } from "./messages/types.ts";

const ARCHIVES = /^application\/(?:zip|gzip|x-(?:tar|7z-compressed|bzip2?|xz|rar-compressed)|vnd\.rar|zstd)$/;
/** The first row that fits decides. */
const KINDS: readonly (readonly [type: RegExp, kind: Kind])[] = [
  [/^image\//, "image"],
  [/^video\//, "video"],
  [/^audio\//, "audio"],
  [/^application\/pdf$/, "pdf"],
  [/^text\/csv$|spreadsheet|ms-excel/, "table"],
  [ARCHIVES, "archive"],
  [/^text\/|^application\/(?:json|xml)$|wordprocessing|msword/, "text"],
];

/** The colour of each kind: a class of the styles. */
export const TONES: Readonly<Record<Kind, string>> = {
  image: "img",
  video: "vid",
  audio: "vid",
  pdf: "pdf",
  text: "txt",
  table: "tab",
  archive: "zip",
  file: "no",
  folder: "dir",
  set: "dir",
  page: "dir",
  link: "no",
};

/** The kind of a file by its content type. */
export function kindOf(contentType: string): Kind {
  const type = contentType.replace(/;.*/, "").trim().toLowerCase();
  return KINDS.find(([pattern]) => pattern.test(type))?.[1] ?? "file";
}

/** The kind with the ending of the name, such as "Photo (JPG)". */
export function kindText(messages: Messages, kind: Kind, name: string): string {
  const [, ending] = /\.([A-Za-z][A-Za-z0-9]{1,4})$/.exec(name) ?? [];
  const { name: text } = messages.kinds[kind];
  return ending === undefined || kind === "pdf" || kind === "folder" ? text : `${text} (${ending.toUpperCase()})`;
}
