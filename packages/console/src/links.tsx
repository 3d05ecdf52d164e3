/** All links: what they open, for whom, how far they are used; and their end. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Answer, call, Problem } from "./api.ts";
import { Dialog } from "./dialog.tsx";
import { type Column, Empty, Failure, Grid } from "./grid.tsx";
import { Icon, KindIcon } from "./icons.tsx";
import { instant, m } from "./messages.ts";
import { usePages } from "./pages.ts";

type Link = Answer<"GET /links">["items"][number];

const colours: Readonly<Record<Link["status"], string>> = {
  open: "ok",
  "not-yet": "new",
  expired: "",
  "used-up": "",
  revoked: "",
  suspended: "warn",
};

const lastName = (target: string): string => target.replace(/\/$/, "").split("/").at(-1) ?? target;
const targetsOf = ({ target, targets }: Link): readonly string[] => (target === undefined ? (targets ?? []) : [target]);
const nameOf = (link: Link): string => link.label ?? targetsOf(link).map(lastName).join(", ");

function use({ used, maxDeliveries, recipients }: Link): string {
  if (maxDeliveries === undefined) return String(used);
  return `${used} / ${maxDeliveries * Math.max(1, recipients?.length ?? 1)}`;
}

export function Links(): JSX.Element {
  const [text, setText] = useState("");
  const [asked, setAsked] = useState<Link>();
  const [said, setSaid] = useState("");
  const { items, isLoading, problem, more, reload } = usePages<Link>("links", (cursor) =>
    call("GET /links", { query: { limit: 1000, cursor } }),
  );
  const words = text.toLowerCase();
  const rows = items.filter((link) =>
    [nameOf(link), ...targetsOf(link), ...(link.recipients ?? []).map(({ name }) => name)].some((part) =>
      part.toLowerCase().includes(words),
    ),
  );
  const columns: readonly Column<Link>[] = [
    {
      head: m.target,
      cell: (link) => (
        <div class="it">
          <KindIcon name={link.target ?? ""} isFolder={link.target?.endsWith("/") ?? true} />
          <div>
            <b>
              <bdi>{nameOf(link)}</bdi>
            </b>
            <small>
              <bdi>{link.recipients?.map(({ name }) => name).join(", ") ?? targetsOf(link).join(", ")}</bdi>
            </small>
          </div>
        </div>
      ),
    },
    { head: m.state, cell: ({ status }) => <span class={`chip ${colours[status]}`}>{m.statusOf[status]}</span> },
    { head: m.used, class: "num md", cell: use },
    { head: m.ends, class: "nw md", cell: ({ expiresAt }) => instant(expiresAt) },
    {
      head: m.actions,
      class: "num",
      isHeadHidden: true,
      cell: (link) => (
        <span class="nw">
          <button
            type="button"
            class="ic"
            aria-label={m.copyOf(nameOf(link))}
            onClick={() => void navigator.clipboard.writeText(link.url).then(() => setSaid(m.copied))}
          >
            <Icon name="copy" />
          </button>
          {link.status !== "revoked" && (
            <button type="button" class="ic" aria-label={m.revokeOf(nameOf(link))} onClick={() => setAsked(link)}>
              <Icon name="revoke" />
            </button>
          )}
        </span>
      ),
    },
  ];
  return (
    <>
      <div class="head">
        <h1>{m.links}</h1>
      </div>
      <div class="tools">
        <div class="find">
          <Icon name="search" />
          <input
            class="in"
            type="search"
            aria-label={m.findLinks}
            placeholder={m.findLinks}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </div>
      </div>
      {problem && <Failure code={problem.code} detail={problem.message} retry={reload} />}
      {rows.length > 0 ? (
        <div class="card">
          <Grid label={m.links} rows={rows} columns={columns} keyOf={({ id }) => id} onEnd={more} />
        </div>
      ) : (
        !isLoading &&
        !problem &&
        (text === "" ? (
          <Empty title={m.noLinks} about={m.noLinksAbout}>
            <a class="btn" href="#/files">
              {m.chooseFile}
            </a>
          </Empty>
        ) : (
          <Empty title={m.noLinkFound} />
        ))
      )}
      <p class={said === "" ? "vh" : "toast"} role="status">
        {isLoading ? m.loading : said}
      </p>
      {asked && (
        <Revoke
          link={asked}
          onClose={() => setAsked(undefined)}
          onDone={() => {
            setSaid(m.revoked(nameOf(asked)));
            setAsked(undefined);
            reload();
          }}
        />
      )}
    </>
  );
}

function Revoke({ link, onClose, onDone }: { readonly link: Link; onClose(): void; onDone(): void }): JSX.Element {
  const [problem, setProblem] = useState<string>();
  const revoke = (): void => {
    call("POST /links/{id}/revoke", { params: { id: link.id } }).then(onDone, (error: unknown) => {
      const { code, message } = error instanceof Problem ? error : new Problem("INTERNAL", String(error));
      setProblem(code === "AWAY" ? m.awayTitle : message);
    });
  };
  return (
    <Dialog title={m.revokeAsk(nameOf(link))} onClose={onClose}>
      <div class="db">
        {problem && (
          <p class="say no" role="alert">
            {problem}
          </p>
        )}
        <p>{m.revokeAbout}</p>
      </div>
      <div class="df">
        <button type="button" class="btn alt" onClick={onClose}>
          {m.cancel}
        </button>
        <button type="button" class="btn" onClick={revoke}>
          {m.revoke}
        </button>
      </div>
    </Dialog>
  );
}
