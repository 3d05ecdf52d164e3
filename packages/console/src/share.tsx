/** Shares a file or a folder: a few questions, then the addresses. */
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { type Answer, call, Problem } from "./api.ts";
import { Copy } from "./copy.tsx";
import { Dialog } from "./dialog.tsx";
import { m } from "./messages.ts";

const DAYS = [1, 7, 30, 365] as const;
const DAY_MS = 24 * 60 * 60 * 1000;

/** @param props.target `bucket/key`, or `bucket/prefix/` */
export function ShareDialog({ target, onClose }: { readonly target: string; onClose(): void }): JSX.Element {
  const [link, setLink] = useState<Answer<"POST /links">>();
  const name = target.replace(/\/$/, "").split("/").at(-1) ?? target;
  return (
    <Dialog title={link === undefined ? m.shareOf(name) : m.created} onClose={onClose}>
      {link === undefined ? (
        <Questions target={target} onLink={setLink} onClose={onClose} />
      ) : (
        <>
          <div class="db">
            {(link.recipients ?? [{ name: "", url: link.url }]).map((one) => (
              <div class="f">
                {one.name && (
                  <b>
                    <bdi>{one.name}</bdi>
                  </b>
                )}
                <Copy text={one.url} name={one.name || name} />
              </div>
            ))}
          </div>
          <div class="df">
            <button type="button" class="btn" onClick={onClose}>
              {m.done}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Field({
  id,
  label,
  help,
  children,
}: {
  readonly id: string;
  readonly label: string;
  readonly help?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="f">
      <label for={id}>{label}</label>
      {children}
      {help && (
        <p class="mid" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

function Questions({
  target,
  onLink,
  onClose,
}: {
  readonly target: string;
  onLink(link: Answer<"POST /links">): void;
  onClose(): void;
}): JSX.Element {
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const create = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string | undefined => String(given.get(name) ?? "").trim() || undefined;
    const recipients = text("people")
      ?.split("\n")
      .map((one) => one.trim())
      .filter(Boolean);
    const count = text("limit");
    setBusy(true);
    setProblem(undefined);
    try {
      const body = {
        target,
        label: text("label"),
        recipients,
        expiresAt: new Date(Date.now() + Number(given.get("days")) * DAY_MS).toISOString(),
        maxDeliveries: count === undefined ? undefined : Number(count),
        // Its spaces count.
        password: String(given.get("password") ?? "") || undefined,
      };
      onLink(await call("POST /links", { body }));
    } catch (error) {
      setBusy(false);
      const { code, message } = error instanceof Problem ? error : new Problem("INTERNAL", String(error));
      setProblem(code === "AWAY" ? m.awayTitle : message);
    }
  };
  return (
    <form onSubmit={create}>
      <div class="db">
        {problem && (
          <p class="say no" role="alert">
            {problem}
          </p>
        )}
        <Field id="label" label={m.label} help={m.labelHelp}>
          <input class="in" id="label" name="label" maxLength={200} aria-describedby="label-help" />
        </Field>
        <Field id="people" label={m.people} help={m.peopleHelp}>
          <textarea class="in" id="people" name="people" aria-describedby="people-help" />
        </Field>
        <div class="pair f">
          <Field id="days" label={m.expires}>
            <select class="in" id="days" name="days">
              {DAYS.map((count) => (
                <option value={count} selected={count === 7}>
                  {m.days(count)}
                </option>
              ))}
            </select>
          </Field>
          <Field id="limit" label={m.limit} help={m.limitHelp}>
            <input class="in" id="limit" name="limit" type="number" min={1} step={1} aria-describedby="limit-help" />
          </Field>
        </div>
        <Field id="password" label={m.password} help={m.passwordHelp}>
          <input
            class="in"
            id="password"
            name="password"
            type="password"
            autocomplete="new-password"
            maxLength={256}
            aria-describedby="password-help"
          />
        </Field>
      </div>
      <div class="df">
        <button type="button" class="btn alt" onClick={onClose}>
          {m.cancel}
        </button>
        <button type="submit" class="btn" disabled={isBusy}>
          {m.create}
        </button>
      </div>
    </form>
  );
}
