/** The files of a bucket, as folders. */
import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { type Answer, call, Problem } from "./api.ts";
import { type Column, Empty, Failure, Grid } from "./grid.tsx";
import { Icon, KindIcon } from "./icons.tsx";
import { bytes, instant, m } from "./messages.ts";
import { usePages } from "./pages.ts";
import { ShareDialog } from "./share.tsx";

type Bucket = Answer<"GET /buckets">["items"][number];
type Entry = Answer<"GET /objects">["items"][number];

/** The address of a folder in the console. */
export function folderHash(bucket: string, prefix = ""): string {
  return `#/files/${[bucket, ...prefix.split("/")].map(encodeURIComponent).join("/")}`;
}

const nameOf = (key: string): string => key.replace(/\/$/, "").split("/").at(-1) ?? key;

/** @param props.place the bucket and the folder, decoded; the first bucket if there is none */
export function Files({ place }: { readonly place: readonly string[] }): JSX.Element {
  const [buckets, setBuckets] = useState<readonly Bucket[]>();
  const [problem, setProblem] = useState<Problem>();
  const load = useCallback(() => {
    setProblem(undefined);
    call("GET /buckets", {}).then(
      ({ items }) => setBuckets(items),
      (error: unknown) => setProblem(error instanceof Problem ? error : new Problem("INTERNAL", String(error))),
    );
  }, []);
  useEffect(load, [load]);
  const bucket = place[0] || buckets?.[0]?.name;
  if (problem !== undefined) return <Failure code={problem.code} detail={problem.message} retry={load} />;
  if (buckets === undefined) return <p role="status">{m.loading}</p>;
  if (bucket === undefined) return <Empty title={m.noBuckets} about={m.noBucketsAbout} />;
  return <Folder key={place.join("/")} buckets={buckets} bucket={bucket} prefix={place.slice(1).join("/")} />;
}

function Folder({
  buckets,
  bucket,
  prefix,
}: {
  readonly buckets: readonly Bucket[];
  readonly bucket: string;
  readonly prefix: string;
}): JSX.Element {
  const [begin, setBegin] = useState("");
  const [shared, setShared] = useState<string>();
  const { items, isLoading, problem, more, reload } = usePages<Entry>(`${bucket}/${prefix}${begin}`, (cursor) =>
    call("GET /objects", { query: { bucket, prefix: prefix + begin, cursor } }),
  );
  const rows = items.filter(({ key }) => key !== prefix);
  const share = ({ key }: Pick<Entry, "key">): void => setShared(`${bucket}/${key}`);
  const open = (entry: Entry): void => {
    if (entry.kind === "folder") location.hash = folderHash(bucket, entry.key);
    else share(entry);
  };
  const columns: readonly Column<Entry>[] = [
    {
      head: m.name,
      cell: (entry) => {
        const { key, kind } = entry;
        const small = kind === "object" && <small class="only">{bytes(entry.size)}</small>;
        const name = <bdi>{nameOf(key)}</bdi>;
        return (
          <div class="it">
            <KindIcon name={key} isFolder={kind === "folder"} />
            <div>
              {kind === "folder" ? (
                <a href={folderHash(bucket, key)} tabIndex={-1}>
                  {name}
                </a>
              ) : (
                <b>{name}</b>
              )}
              {small}
            </div>
          </div>
        );
      },
    },
    { head: m.size, class: "num md", cell: (entry) => (entry.kind === "object" ? bytes(entry.size) : "") },
    { head: m.changed, class: "nw md", cell: (entry) => (entry.kind === "object" ? instant(entry.changedAt) : "") },
    {
      head: m.actions,
      class: "num",
      isHeadHidden: true,
      cell: (entry) => (
        <button type="button" class="ic" aria-label={m.shareOf(nameOf(entry.key))} onClick={() => share(entry)}>
          <Icon name="share" />
        </button>
      ),
    },
  ];
  return (
    <>
      <FolderHead bucket={bucket} prefix={prefix} onShare={() => share({ key: prefix })} />
      <div class="tools">
        <nav class="seg" aria-label={m.bucket}>
          {buckets.map(({ name }) => (
            <a href={folderHash(name)} aria-current={name === bucket ? "true" : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <div class="find">
          <Icon name="search" />
          <input
            class="in"
            type="search"
            aria-label={m.find}
            placeholder={m.find}
            value={begin}
            onInput={({ currentTarget }) => setBegin(currentTarget.value)}
          />
        </div>
      </div>
      {problem && <Failure code={problem.code} detail={problem.message} retry={reload} />}
      {rows.length > 0 ? (
        <div class="card">
          <Grid
            label={nameOf(prefix) || bucket}
            rows={rows}
            columns={columns}
            keyOf={({ key }) => key}
            onOpen={open}
            keys={{ s: share }}
            onEnd={more}
          />
        </div>
      ) : (
        !isLoading &&
        !problem &&
        (begin === "" ? <Empty title={m.emptyFolder} about={m.emptyFolderAbout} /> : <Empty title={m.noMatch} />)
      )}
      <p class="vh" role="status">
        {isLoading ? m.loading : ""}
      </p>
      {shared !== undefined && <ShareDialog target={shared} onClose={() => setShared(undefined)} />}
    </>
  );
}

function FolderHead({
  bucket,
  prefix,
  onShare,
}: {
  readonly bucket: string;
  readonly prefix: string;
  onShare(): void;
}): JSX.Element {
  const parts = prefix.split("/").filter(Boolean);
  return (
    <div class="head">
      <div>
        <nav class="crumbs" aria-label={m.path}>
          {[bucket, ...parts].slice(0, -1).map((part, depth) => (
            <>
              <a
                href={folderHash(
                  bucket,
                  parts
                    .slice(0, depth)
                    .map((one) => `${one}/`)
                    .join(""),
                )}
              >
                <bdi>{part}</bdi>
              </a>
              <Icon name="next" />
            </>
          ))}
        </nav>
        <h1>
          <bdi>{parts.at(-1) ?? bucket}</bdi>
        </h1>
      </div>
      <div class="acts">
        <button type="button" class="btn" onClick={onShare}>
          <Icon name="share" />
          {m.shareFolder}
        </button>
      </div>
    </div>
  );
}
