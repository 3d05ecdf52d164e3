/**
 * The tables of uploads in parts. A row of `parts` is there when the bytes of the part are on the disk, so what was acknowledged
 * is found again; an upload that was completed stays for a day, for a client that asks once more.
 */
import type { UploadChecksum } from "../../contract/multipart.ts";
import type { ObjectRef, StoredHeaders } from "../../contract/storage.ts";
import type { Database, SqlValue, Statement } from "./sqlite.ts";

/** Among the migrations of the index. */
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

/** What the object will have besides its bytes. Plain data: it travels between processes. */
export interface UploadFields {
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly contentType: string;
  readonly headers: StoredHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly checksum: UploadChecksum | undefined;
}

/** How an upload ends, written before its file takes the key: after a crash it tells whether it has. */
export interface Ending {
  /** Of the file that is to take the key. */
  readonly fingerprint: string;
  /** Whether that file is the one into which the parts were written; then there is no other copy of them. */
  readonly inPlace: boolean;
  /** A digest of the list of parts that the client named. */
  readonly list: string;
  readonly etag: string;
  readonly checksums: Readonly<Record<string, string>>;
}

export interface UploadRow {
  /** Begins with the time, so that the order of ids is that in which uploads began. */
  readonly id: string;
  readonly ref: ObjectRef;
  readonly fields: UploadFields;
  /** Part n may lie at (n - 1) times this in the common file. */
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
  /** Where it begins in the common file, or the name of a file of its own. */
  readonly place: { readonly position: number } | { readonly file: string };
}

export interface UploadsRange {
  readonly bucket: string;
  /** The first key. */
  readonly key: string;
  /** Uploads of that key are behind this one; with an empty text all of them are in the range. */
  readonly id: string;
  /** The first key behind the range. */
  readonly until: string | undefined;
  readonly limit: number;
}

export interface UploadsReader {
  upload(id: string): UploadRow | undefined;
  /** By number. */
  parts(id: string, range: { readonly after: number; readonly limit: number }): PartRow[];
  part(id: string, number: number): PartRow | undefined;
  /** Open ones by key, those of a key by id. */
  openUploads(range: UploadsRange): UploadRow[];
}

export interface UploadsWriter {
  insertUpload(row: Pick<UploadRow, "id" | "ref" | "fields">): void;
  setSlotSize(id: string, size: number): void;
  putPart(id: string, part: PartRow): void;
  setEnding(id: string, ending: Ending | undefined): void;
  /** Marks an upload as completed; its parts are forgotten. */
  endUpload(id: string, now: number): void;
  removeUpload(id: string): void;
  /** Forgets uploads that were completed before a time. */
  removeEnded(before: number): void;
  allOpen(): UploadRow[];
}

/** In SQLite every text is less than every blob. */
const NO_END = new Uint8Array(1);

export function uploadsReader(database: Database): UploadsReader {
  const upload = database.prepare("SELECT * FROM uploads WHERE id = ?");
  const parts = database.prepare("SELECT * FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?");
  const part = database.prepare("SELECT * FROM parts WHERE upload = ? AND number = ?");
  const open = database.prepare(
    "SELECT * FROM uploads WHERE ended IS NULL AND bucket = ? AND (key, id) > (?, ?) AND key < ? ORDER BY key, id LIMIT ?",
  );
  return {
    upload: (id) => one(upload, uploadRow, id),
    parts: (id, { after, limit }) => parts.all(id, after, limit).map(partRow),
    part: (id, number) => one(part, partRow, id, number),
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
  const allOpen = database.prepare("SELECT * FROM uploads WHERE ended IS NULL");
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

function one<T>(statement: Statement, read: (row: unknown) => T, ...parameters: SqlValue[]): T | undefined {
  const row = statement.get(...parameters);
  return row === undefined ? undefined : read(row);
}

type Columns<Name extends string> = Readonly<Record<Name, unknown>>;

function uploadRow(row: unknown): UploadRow {
  const columns = row as Columns<"id" | "bucket" | "key" | "fields" | "slot_size" | "ending" | "ended">;
  return {
    id: String(columns.id),
    ref: { bucket: String(columns.bucket), key: String(columns.key) },
    fields: JSON.parse(String(columns.fields)),
    slotSize: columns.slot_size === null ? undefined : Number(columns.slot_size),
    ending: columns.ending === null ? undefined : JSON.parse(String(columns.ending)),
    ended: columns.ended !== null,
  };
}

function partRow(row: unknown): PartRow {
  const columns = row as Columns<
    "number" | "size" | "etag" | "algorithm" | "checksum" | "modified" | "position" | "file"
  >;
  const { algorithm, checksum, position, file } = columns;
  return {
    number: Number(columns.number),
    size: Number(columns.size),
    etag: String(columns.etag),
    checksum: algorithm === null ? undefined : { algorithm: String(algorithm), value: String(checksum) },
    modified: Number(columns.modified),
    place: file === null ? { position: Number(position) } : { file: String(file) },
  };
}
