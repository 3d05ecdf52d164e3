/**
 * The tables of multipart uploads. A row of `parts` is written after the bytes of the part, so it proves that they are on the disk.
 * A completed upload stays for a day, for a client that repeats the request.
 */

import { type Database, NO_END, type Row } from "../../../sqlite/database.ts";
import type { UploadChecksum } from "../../contract/multipart.ts";
import type { ObjectRef, StoredHeaders } from "../../contract/storage.ts";

/** Part of the migrations of the index. */
export const UPLOADS_SCHEMA = `
  ALTER TABLE objects ADD COLUMN tags TEXT;
  ALTER TABLE objects ADD COLUMN parts TEXT;
  CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    fields TEXT NOT NULL,
    slot_size INTEGER,
    ending TEXT,
    ended INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX open_uploads ON uploads (bucket, key, id) WHERE ended IS NULL;
  CREATE INDEX ended_uploads ON uploads (ended) WHERE ended IS NOT NULL;
  CREATE TABLE parts (
    upload TEXT NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    algorithm TEXT,
    checksum TEXT,
    modified INTEGER NOT NULL,
    position INTEGER,
    file TEXT,
    PRIMARY KEY (upload, number)
  ) STRICT, WITHOUT ROWID;
`;

/** The metadata of the object. Plain data, because it crosses processes. */
export interface UploadFields {
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly contentType: string;
  readonly headers: StoredHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly checksum: UploadChecksum | undefined;
}

/** How an upload ends. Written before its file takes the key, so that the next start can find out whether it did. */
export interface Ending {
  /** The fingerprint of the file that will take the key. */
  readonly fingerprint: string;
  /** Whether that file is the common file of the parts. Then no other copy of them exists. */
  readonly inPlace: boolean;
  /** A digest of the list of parts that the client named. */
  readonly list: string;
  readonly etag: string;
  readonly checksums: Readonly<Record<string, string>>;
}

export interface UploadRow {
  /** Begins with the time, so that ids sort by the begin of the upload. */
  readonly id: string;
  readonly ref: ObjectRef;
  readonly fields: UploadFields;
  /** Part n may have the position (n - 1) times this in the common file. */
  readonly slotSize: number | undefined;
  readonly ending: Ending | undefined;
  readonly ended: boolean;
}

export interface PartRow {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  readonly checksum: { readonly algorithm: string; readonly value: string } | undefined;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  /** Its position in the common file, or the name of a file that it has alone. */
  readonly place: { readonly position: number } | { readonly file: string };
}

export interface UploadsRange {
  readonly bucket: string;
  /** The first key. */
  readonly key: string;
  /** The last upload of that key before the range. Empty: the range has all of them. */
  readonly id: string;
  /** The first key after the range. */
  readonly until: string | undefined;
  readonly limit: number;
}

export interface UploadsReader {
  upload(id: string): UploadRow | undefined;
  /** By number. */
  parts(id: string, range: { readonly after: number; readonly limit: number }): PartRow[];
  part(id: string, number: number): PartRow | undefined;
  /** Open uploads by key, and for one key by id. */
  openUploads(range: UploadsRange): UploadRow[];
}

export interface UploadsWriter {
  insertUpload(row: Pick<UploadRow, "id" | "ref" | "fields">): void;
  setSlotSize(id: string, size: number): void;
  putPart(id: string, part: PartRow): void;
  setEnding(id: string, ending: Ending | undefined): void;
  /** Marks an upload as completed, and removes its parts. */
  endUpload(id: string, now: number): void;
  removeUpload(id: string): void;
  /** Removes uploads that were completed before a time. */
  removeEnded(before: number): void;
  allOpen(): UploadRow[];
}

export function uploadsReader(database: Database): UploadsReader {
  const upload = database.prepare<UploadColumn>("SELECT * FROM uploads WHERE id = ?");
  const select = "SELECT * FROM parts WHERE upload = ? AND number";
  const parts = database.prepare<PartColumn>(`${select} > ? ORDER BY number LIMIT ?`);
  const part = database.prepare<PartColumn>(`${select} = ?`);
  const open = database.prepare<UploadColumn>(
    "SELECT * FROM uploads WHERE ended IS NULL AND bucket = ? AND (key, id) > (?, ?) AND key < ? ORDER BY key, id LIMIT ?",
  );
  return {
    upload(id) {
      const row = upload.get(id);
      return row && uploadRow(row);
    },
    parts: (id, { after, limit }) => parts.all(id, after, limit).map(partRow),
    part(id, number) {
      const row = part.get(id, number);
      return row && partRow(row);
    },
    openUploads: ({ bucket, key, id, until, limit }) =>
      open.all(bucket, key, id, until ?? NO_END, limit).map(uploadRow),
  };
}

export function uploadsWriter(database: Database): UploadsWriter {
  const insert = database.prepare("INSERT INTO uploads (id, bucket, key, fields) VALUES (?, ?, ?, ?)");
  const setSlotSize = database.prepare("UPDATE uploads SET slot_size = ? WHERE id = ?");
  const putPart = database.prepare(
    "INSERT OR REPLACE INTO parts (upload, number, size, etag, algorithm, checksum, modified, position, file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const setEnding = database.prepare("UPDATE uploads SET ending = ? WHERE id = ?");
  const end = database.prepare("UPDATE uploads SET ended = ? WHERE id = ?");
  const removeParts = database.prepare("DELETE FROM parts WHERE upload = ?");
  const remove = database.prepare("DELETE FROM uploads WHERE id = ?");
  const removeEnded = database.prepare("DELETE FROM uploads WHERE ended < ?");
  const allOpen = database.prepare<UploadColumn>("SELECT * FROM uploads WHERE ended IS NULL");
  return {
    insertUpload: ({ id, ref, fields }) => void insert.run(id, ref.bucket, ref.key, JSON.stringify(fields)),
    setSlotSize: (id, size) => void setSlotSize.run(size, id),
    putPart(id, { number, size, etag, checksum, modified, place }) {
      const [algorithm, value] = checksum === undefined ? [null, null] : [checksum.algorithm, checksum.value];
      const [position, file] = "file" in place ? [null, place.file] : [place.position, null];
      putPart.run(id, number, size, etag, algorithm, value, modified, position, file);
    },
    setEnding: (id, ending) => void setEnding.run(ending === undefined ? null : JSON.stringify(ending), id),
    endUpload(id, now) {
      end.run(now, id);
      removeParts.run(id);
    },
    removeUpload(id) {
      remove.run(id);
      removeParts.run(id);
    },
    removeEnded: (before) => void removeEnded.run(before),
    allOpen: () => allOpen.all().map(uploadRow),
  };
}

type UploadColumn = "id" | "bucket" | "key" | "fields" | "slot_size" | "ending" | "ended";

function uploadRow({ id, bucket, key, fields, slot_size: slotSize, ending, ended }: Row<UploadColumn>): UploadRow {
  return {
    id: String(id),
    ref: { bucket: String(bucket), key: String(key) },
    fields: JSON.parse(String(fields)),
    slotSize: slotSize === null ? undefined : Number(slotSize),
    ending: ending === null ? undefined : JSON.parse(String(ending)),
    ended: ended !== null,
  };
}

type PartColumn = "number" | "size" | "etag" | "algorithm" | "checksum" | "modified" | "position" | "file";

function partRow(row: Row<PartColumn>): PartRow {
  const { algorithm, checksum, position, file } = row;
  return {
    number: Number(row.number),
    size: Number(row.size),
    etag: String(row.etag),
    checksum: algorithm === null ? undefined : { algorithm: String(algorithm), value: String(checksum) },
    modified: Number(row.modified),
    place: file === null ? { position: Number(position) } : { file: String(file) },
  };
}
