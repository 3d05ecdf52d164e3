/** The console: its start, its session and its sections. */
import { type JSX, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call, Problem, session } from "./api.ts";
import { Files } from "./files.tsx";
import { Icon, type IconName, Mark } from "./icons.tsx";
import { Links } from "./links.tsx";
import { language, m } from "./messages.ts";
import { SignIn } from "./sign-in.tsx";

interface Section {
  readonly icon: IconName;
  readonly name: string;
  page(place: readonly string[]): JSX.Element;
}

/** The sections by their part of the address. */
const sections: Readonly<Record<string, Section>> = {
  files: { icon: "folder", name: m.files, page: (place) => <Files place={place} /> },
  links: { icon: "link", name: m.links, page: () => <Links /> },
};

/** The parts of the address, decoded. A part that does not decode is none. */
function placeOf(hash: string): readonly string[] {
  try {
    return hash.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return [];
  }
}

function Shell({ onSignOut }: { onSignOut(): void }): JSX.Element {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = (): void => setHash(location.hash);
    const find = (event: KeyboardEvent): void => {
      const isTyping = (event.target as Element).matches("input, textarea, select");
      if (event.key !== "/" || isTyping || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      document.querySelector<HTMLInputElement>("input[type=search]")?.focus();
    };
    addEventListener("hashchange", follow);
    addEventListener("keydown", find);
    return () => {
      removeEventListener("hashchange", follow);
      removeEventListener("keydown", find);
    };
  }, []);
  const [name = "", ...place] = placeOf(hash);
  const current = Object.hasOwn(sections, name) ? name : "files";
  const section = sections[current];
  useEffect(() => {
    document.title = `${section?.name} – Daypass`;
  }, [section]);
  const brand = (
    <>
      <Mark />
      Daypass
    </>
  );
  const skip = (): void => document.getElementById("main")?.focus();
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        {m.skip}
      </button>
      <header class="hd">
        <span class="brand">{brand}</span>
        <button type="button" class="ic" popovertarget="nav" aria-label={m.menu}>
          <Icon name="list" />
        </button>
      </header>
      <nav id="nav" popover="auto" aria-label={m.sections}>
        <a class="brand" href="#/files">
          {brand}
        </a>
        {Object.entries(sections).map(([key, { icon, name: text }]) => (
          <a href={`#/${key}`} aria-current={key === current ? "page" : undefined}>
            <Icon name={icon} />
            {text}
          </a>
        ))}
        <button type="button" class="btn alt me" onClick={onSignOut}>
          {m.signOut}
        </button>
      </nav>
      <main id="main" tabIndex={-1}>
        {section?.page(place)}
      </main>
    </>
  );
}

function App({ why }: { readonly why: string | undefined }): JSX.Element {
  const [isIn, setIn] = useState(session.exists());
  const [reason, setReason] = useState(why);
  useEffect(() => {
    session.whenOver(() => {
      setReason(m.sessionOver);
      setIn(false);
    });
  }, []);
  useEffect(() => {
    document.body.className = isIn ? "" : "solo";
  }, [isIn]);
  const signOut = (): void => {
    void call("DELETE /session", {})
      .catch(() => undefined)
      .finally(() => {
        session.forget();
        setReason(undefined);
        setIn(false);
      });
  };
  return isIn ? <Shell onSignOut={signOut} /> : <SignIn why={reason} onDone={() => setIn(true)} />;
}

/** Opens a session with the ticket of the address, which leaves the address and the history first. */
async function enter(): Promise<string | undefined> {
  const ticket = /^#ticket=([\w-]+)$/.exec(location.hash)?.[1];
  if (ticket === undefined) return undefined;
  history.replaceState(null, "", `${location.pathname}#/files`);
  try {
    session.keep((await call("POST /session", { body: { ticket } })).token);
    return undefined;
  } catch (error) {
    session.forget();
    return error instanceof Problem && error.code === "AWAY" ? m.awayTitle : `${m.ticketUsed} daypass console`;
  }
}

document.documentElement.lang = language;
void enter().then((why) => render(<App why={why} />, document.body));
