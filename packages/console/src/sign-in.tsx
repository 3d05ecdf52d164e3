/** The page before a session: a token, or the command that lets the operator in. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, Problem, session } from "./api.ts";
import { Mark } from "./icons.tsx";
import { m } from "./messages.ts";

/** @param props.why what to say above the form */
export function SignIn({ why, onDone }: { readonly why: string | undefined; onDone(): void }): JSX.Element {
  const [problem, setProblem] = useState(why);
  const enter = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    session.keep(String(new FormData(event.currentTarget as HTMLFormElement).get("token") ?? "").trim());
    try {
      await call("GET /session", {});
      onDone();
    } catch (error) {
      session.forget();
      const { code, message } = error instanceof Problem ? error : new Problem("INTERNAL", String(error));
      setProblem(code === "AWAY" ? m.awayTitle : message);
    }
  };
  return (
    <main id="main">
      <span class="brand">
        <Mark />
        Daypass
      </span>
      <h1>{m.signIn}</h1>
      <p class="mid">
        {m.ticketHelp} <code>daypass console</code>
      </p>
      {problem && (
        <p class="say warn" role="alert">
          {problem}
        </p>
      )}
      <form onSubmit={enter}>
        <p class="or">{m.orToken}</p>
        <div class="f">
          <label for="token">{m.token}</label>
          <input
            class="in"
            id="token"
            name="token"
            type="password"
            autocomplete="off"
            required
            aria-describedby="how"
          />
          <p class="mid" id="how">
            {m.tokenHelp} <code>daypass tokens create</code>
          </p>
        </div>
        <button type="submit" class="btn">
          {m.signIn}
        </button>
      </form>
    </main>
  );
}
