/** A table of any length: only the rows in sight are in the document. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { m } from "./messages.ts";

/** A column. Its class `md` leaves it out on phones. */
export interface Column<T> {
  readonly head: string;
  readonly class?: string;
  readonly isHeadHidden?: boolean;
  cell(row: T): ComponentChildren;
}

interface GridProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  keyOf(row: T): string;
  /** Enter on a row, or a double click. */
  onOpen?(row: T): void;
  /** Keys of one letter on a row. */
  readonly keys?: Readonly<Record<string, (row: T) => void>>;
  /** The last row is near. */
  onEnd?(): void;
}

/** Pixels of a row until one was measured. */
const ROW = 53;
/** Rows above and below those in sight. */
const MORE = 12;
const PAGE = 10;

const steps: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  PageDown: (at) => at + PAGE,
  PageUp: (at) => at - PAGE,
  Home: () => 0,
  End: (_, count) => count - 1,
};

export function Grid<T>({ label, rows, columns, keyOf, onOpen, keys = {}, onEnd }: GridProps<T>): JSX.Element {
  const body = useRef<HTMLTableSectionElement>(null);
  const [[from, to], setRange] = useState<readonly [number, number]>([0, 60]);
  const [at, setAt] = useState(0);
  const focusNext = useRef(false);
  const height = useRef(ROW);

  useEffect(() => {
    let frame = 0;
    const look = (): void => {
      frame = 0;
      if (body.current === null) return;
      height.current = body.current.querySelector("tr[data-row]")?.getBoundingClientRect().height ?? ROW;
      const above = -(body.current.closest("table")?.getBoundingClientRect().top ?? 0);
      const first = Math.max(0, Math.floor(above / height.current) - MORE);
      const last = first + Math.ceil(innerHeight / height.current) + 2 * MORE;
      setRange((now) => (now[0] === first && now[1] === last ? now : [first, last]));
      if (last >= rows.length - 1) onEnd?.();
    };
    const soon = (): void => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, [rows.length, onEnd]);

  useLayoutEffect(() => {
    if (!focusNext.current) return;
    const row = body.current?.querySelector<HTMLElement>(`[data-row="${at}"]`);
    if (row === null || row === undefined) {
      scrollTo({
        top: scrollY + (body.current?.closest("table")?.getBoundingClientRect().top ?? 0) + (at - 2) * height.current,
      });
      return;
    }
    focusNext.current = false;
    row.focus();
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget && !(event.target as Element).matches("[data-row]")) return;
    const row = rows[at];
    const step = steps[event.key];
    if (step !== undefined) {
      focusNext.current = true;
      setAt(Math.min(Math.max(0, step(at, rows.length)), rows.length - 1));
    } else if (event.key === "Enter" && row !== undefined) onOpen?.(row);
    else if (row !== undefined && event.key in keys) keys[event.key]?.(row);
    else return;
    event.preventDefault();
  };

  const shown = rows.slice(from, to);
  const space = (count: number): JSX.Element | null =>
    count <= 0 ? null : (
      <tbody aria-hidden="true">
        <tr style={{ height: `${count * height.current}px` }} />
      </tbody>
    );
  return (
    // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: ARIA allows it, and a grid of rows is what the keys move in
    <table role="grid" aria-label={label} aria-rowcount={rows.length + 1} onKeyDown={onKeyDown}>
      <thead>
        <tr aria-rowindex={1}>
          {columns.map(({ head, class: name, isHeadHidden }) => (
            <th scope="col" class={name}>
              {isHeadHidden ? <span class="vh">{head}</span> : head}
            </th>
          ))}
        </tr>
      </thead>
      {space(from)}
      <tbody ref={body}>
        {shown.map((row, index) => (
          <tr
            key={keyOf(row)}
            data-row={from + index}
            aria-rowindex={from + index + 2}
            tabIndex={from + index === at ? 0 : -1}
            onFocus={() => setAt(from + index)}
            onDblClick={() => onOpen?.(row)}
          >
            {columns.map(({ class: name, cell }) => (
              <td class={name}>{cell(row)}</td>
            ))}
          </tr>
        ))}
      </tbody>
      {space(rows.length - to)}
    </table>
  );
}

/** What a list shows in place of rows. */
export function Empty({
  title,
  about,
  children,
}: {
  readonly title: string;
  readonly about?: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="card empty">
      <h2>{title}</h2>
      {about && <p>{about}</p>}
      {children && <div class="acts">{children}</div>}
    </div>
  );
}

/** A failure, with a way to repeat. */
export function Failure({
  code,
  detail,
  retry,
}: {
  readonly code: string;
  readonly detail: string;
  retry(): void;
}): JSX.Element {
  const [title, about] = code === "AWAY" ? [m.awayTitle, m.awayAbout] : [m.failed, detail];
  return (
    <div class="say no" role="alert">
      <div>
        <b>{title}</b>
        <br />
        {about}
      </div>
      <button type="button" class="btn alt" onClick={retry}>
        {m.retry}
      </button>
    </div>
  );
}
