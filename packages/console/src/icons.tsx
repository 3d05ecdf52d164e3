/** Icons on a grid of 24, and the mark. */
import type { JSX } from "preact";

const shapes = {
  archive: <path d="M6 3h12v18H6zM12 3v1.5m0 2.5v1.5M10.5 12h3v4h-3z" />,
  audio: <path d="M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0m10-2a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0" />,
  close: <path d="M6 6l12 12M18 6 6 18" />,
  copy: <path d="M9 9h11v11H9zM15 9V4H4v11h5" />,
  file: <path d="M6 3h8l4 4v14H6zM14 3v4h4" />,
  folder: <path d="M3 5.5h6.5L12 8h9v11.5H3z" />,
  image: <path d="M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4" />,
  link: (
    <path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.1-1.1" />
  ),
  list: <path d="M4 6.5h16M4 12h16M4 17.5h16" />,
  next: <path d="m9.5 5.5 6.5 6.5-6.5 6.5" />,
  pdf: <path d="M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6" />,
  revoke: <path d="M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M6 6l12 12" />,
  search: <path d="M11 4.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M16 16l4.5 4.5" />,
  share: (
    <path d="M6 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5m11-6a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5m0 12a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M8.2 10.8l6.6-3.6m-6.6 6 6.6 3.6" />
  ),
  table: <path d="M4 5h16v14H4zM4 10h16M4 14.5h16M10 10v9" />,
  text: <path d="M6 3h12v18H6zM9 8h6M9 12h6M9 16h3.5" />,
  video: <path d="M3.5 6h12v12h-12zM15.5 10.5l5-3v9l-5-3" />,
} satisfies Record<string, JSX.Element>;

/** The name of an icon. */
export type IconName = keyof typeof shapes;

export const Icon = ({ name }: { readonly name: IconName }): JSX.Element => (
  <svg viewBox="0 0 24 24" aria-hidden="true">
    {shapes[name]}
  </svg>
);

export const Mark = (): JSX.Element => (
  <svg viewBox="2 5 20 14" aria-hidden="true">
    <path
      fill="#3350d1"
      d="M4 5h16a2 2 0 0 1 2 2v2.5a2.5 2.5 0 0 0 0 5V17a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2v-2.5a2.5 2.5 0 0 0 0-5V7a2 2 0 0 1 2-2z"
    />
    <path fill="#f5a524" d="M6.75 16a5.25 5.25 0 0 1 10.5 0z" />
  </svg>
);

/** The icon and the colour of a file, by the end of its name. */
const kinds: readonly (readonly [ends: RegExp, icon: IconName, colour: string])[] = [
  [/\.(?:avif|bmp|gif|heic|jpe?g|png|svg|tiff?|webp)$/i, "image", "img"],
  [/\.(?:avi|m4v|mkv|mov|mp4|webm)$/i, "video", "vid"],
  [/\.(?:aac|flac|m4a|mp3|ogg|opus|wav)$/i, "audio", "vid"],
  [/\.pdf$/i, "pdf", "pdf"],
  [/\.(?:csv|ods|tsv|xlsx?)$/i, "table", "tab"],
  [/\.(?:7z|bz2|gz|rar|tar|tgz|xz|zip|zst)$/i, "archive", "zip"],
  [/\.(?:docx?|json|log|md|odt|rtf|txt|ya?ml)$/i, "text", "txt"],
];

export function KindIcon({ name, isFolder }: { readonly name: string; readonly isFolder: boolean }): JSX.Element {
  const [, icon, colour] = kinds.find(([ends]) => ends.test(name)) ?? [/^/, "file", ""];
  return (
    <span class={`k ${isFolder ? "dir" : colour}`}>
      <Icon name={isFolder ? "folder" : icon} />
    </span>
  );
}
