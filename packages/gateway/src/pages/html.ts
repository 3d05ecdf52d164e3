/** HTML whose values are escaped unless they are HTML already. */

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that a page may contain as it is. Only {@link html} makes it. */
export class Html {
  /** The markup. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a page may contain. Nothing is shown for `undefined` and `false`. */
export type Content = Html | string | number | undefined | false | readonly Content[];

/** Markup that this program wrote. */
export function markup(text: string): Html {
  return new Html(text);
}

/** Joins markup and content. Everything but markup is escaped. */
export function html(markup: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(markup.map((text, at) => text + render(contents[at])).join(""));
}

function render(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Html) return content.text;
  if (typeof content === "object") return content.map(render).join("");
  return String(content).replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? "");
}
