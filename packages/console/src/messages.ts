/** The texts of the console. A text that a language lacks does not compile. */
const en = {
  title: "Daypass",
  sections: "Sections",
  skip: "Skip to the content",
  menu: "Menu",
  files: "Files",
  links: "Links",
  path: "Path",
  signIn: "Sign in",
  token: "Access token",
  tokenHelp: "It works as far as its scopes go. To make one, run this on the server:",
  ticketHelp: "Run this on the server, and open the address that it prints:",
  orToken: "or with a token",
  sessionOver: "Your session has ended. Sign in again, and you are back where you were.",
  ticketUsed: "This address was used, or is older than a minute. Make another one on the server:",
  signOut: "Sign out",
  bucket: "Bucket",
  find: "Names that begin with …",
  findLinks: "Search in these links",
  name: "Name",
  size: "Size",
  changed: "Changed",
  actions: "Actions",
  share: "Share",
  shareOf: (name: string) => `Share ${name}`,
  shareFolder: "Share this folder",
  folder: "Folder",
  emptyFolder: "This folder is empty",
  emptyFolderAbout: "Files that you put here can be shared with a link.",
  noMatch: "No name begins with this",
  noBuckets: "There is no bucket yet",
  noBucketsAbout:
    "Each folder in the folder that the gateway serves is a bucket. Make one, put a file into it, and reload.",
  noLinks: "No links yet",
  noLinksAbout: "Choose a file, and share it: the link appears here, with who opened it.",
  chooseFile: "Choose a file",
  noLinkFound: "No link has this",
  label: "Title",
  labelHelp: "What people read above the file.",
  people: "For",
  peopleHelp: "One name a line: each gets an address, and you see who opened it. Empty: one address for all.",
  expires: "Ends",
  days: (count: number) => (count === 1 ? "in 1 day" : `in ${count} days`),
  limit: "Downloads",
  limitHelp: "Empty: as many as they like.",
  password: "Password",
  passwordHelp: "Empty: none. Tell it by another way than the link.",
  create: "Create the link",
  cancel: "Cancel",
  close: "Close",
  done: "Done",
  created: "The link is ready",
  copy: "Copy",
  copyOf: (name: string) => `Copy the address of ${name}`,
  copied: "Copied",
  state: "State",
  target: "Target",
  used: "Downloads used",
  ends: "Ends",
  revoke: "Revoke",
  revokeOf: (name: string) => `Revoke ${name}`,
  revokeAsk: (name: string) => `Revoke the link to ${name}?`,
  revokeAbout: "It ends at once, also for transfers that run. You can restore it on the command line.",
  revoked: (name: string) => `The link to ${name} has ended`,
  retry: "Try again",
  awayTitle: "The gateway does not answer",
  awayAbout: "Links that people have may still work. Check that the gateway runs, then try again.",
  failed: "This did not work",
  loading: "Loading",
  statusOf: {
    open: "Open",
    "not-yet": "Not yet",
    expired: "Expired",
    "used-up": "Used up",
    revoked: "Revoked",
    suspended: "Suspended",
  },
} as const;

type Texts<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...given: infer G) => string
      ? (...given: G) => string
      : Texts<T[K]>;
};

const de: Texts<typeof en> = {
  title: "Daypass",
  sections: "Bereiche",
  skip: "Zum Inhalt",
  menu: "Menü",
  files: "Dateien",
  links: "Links",
  path: "Pfad",
  signIn: "Anmelden",
  token: "Zugangstoken",
  tokenHelp: "Es reicht so weit wie seine Rechte. Ein Token erzeugt auf dem Server:",
  ticketHelp: "Führen Sie dies auf dem Server aus und öffnen Sie die Adresse, die es ausgibt:",
  orToken: "oder mit einem Token",
  sessionOver: "Ihre Sitzung ist zu Ende. Melden Sie sich wieder an, dann sind Sie, wo Sie waren.",
  ticketUsed: "Diese Adresse wurde benutzt oder ist älter als eine Minute. Erzeugen Sie auf dem Server eine neue:",
  signOut: "Abmelden",
  bucket: "Bucket",
  find: "Namen, die beginnen mit …",
  findLinks: "In diesen Links suchen",
  name: "Name",
  size: "Größe",
  changed: "Geändert",
  actions: "Aktionen",
  share: "Teilen",
  shareOf: (name) => `${name} teilen`,
  shareFolder: "Diesen Ordner teilen",
  folder: "Ordner",
  emptyFolder: "Dieser Ordner ist leer",
  emptyFolderAbout: "Dateien, die Sie hier ablegen, lassen sich mit einem Link teilen.",
  noMatch: "Kein Name beginnt so",
  noBuckets: "Es gibt noch keinen Bucket",
  noBucketsAbout:
    "Jeder Ordner in dem Ordner, den das Gateway ausliefert, ist ein Bucket. Legen Sie einen an, legen Sie eine Datei hinein und laden Sie neu.",
  noLinks: "Noch keine Links",
  noLinksAbout: "Wählen Sie eine Datei und teilen Sie sie: Der Link erscheint hier, auch wer ihn geöffnet hat.",
  chooseFile: "Datei wählen",
  noLinkFound: "Kein Link passt dazu",
  label: "Titel",
  labelHelp: "Das lesen die Leute über der Datei.",
  people: "Für",
  peopleHelp:
    "Ein Name je Zeile: Jeder bekommt eine Adresse, und Sie sehen, wer sie geöffnet hat. Leer: eine Adresse für alle.",
  expires: "Endet",
  days: (count) => (count === 1 ? "in 1 Tag" : `in ${count} Tagen`),
  limit: "Downloads",
  limitHelp: "Leer: beliebig viele.",
  password: "Passwort",
  passwordHelp: "Leer: keines. Teilen Sie es auf einem anderen Weg mit als den Link.",
  create: "Link erzeugen",
  cancel: "Abbrechen",
  close: "Schließen",
  done: "Fertig",
  created: "Der Link ist bereit",
  copy: "Kopieren",
  copyOf: (name) => `Adresse von ${name} kopieren`,
  copied: "Kopiert",
  state: "Status",
  target: "Ziel",
  used: "Benutzte Downloads",
  ends: "Endet",
  revoke: "Widerrufen",
  revokeOf: (name) => `${name} widerrufen`,
  revokeAsk: (name) => `Den Link zu ${name} widerrufen?`,
  revokeAbout: "Er endet sofort, auch für laufende Übertragungen. Auf der Befehlszeile lässt er sich wieder öffnen.",
  revoked: (name) => `Der Link zu ${name} ist beendet`,
  retry: "Noch einmal",
  awayTitle: "Das Gateway antwortet nicht",
  awayAbout:
    "Links, die schon verteilt sind, können weiter funktionieren. Prüfen Sie, ob das Gateway läuft, und versuchen Sie es noch einmal.",
  failed: "Das hat nicht geklappt",
  loading: "Wird geladen",
  statusOf: {
    open: "Offen",
    "not-yet": "Noch nicht",
    expired: "Abgelaufen",
    "used-up": "Aufgebraucht",
    revoked: "Widerrufen",
    suspended: "Angehalten",
  },
};

const wanted = navigator.languages.find((one) => /^(?:en|de)\b/.test(one)) ?? "en";

/** The reader's language, with its region for numbers and times. */
export const language: string = wanted;
/** The texts in that language. */
export const m: Texts<typeof en> = wanted.startsWith("de") ? de : en;

/** Bytes, such as 8.4 MB. */
export function bytes(size: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  const power = Math.min(units.length - 1, size < 1000 ? 0 : Math.floor(Math.log10(size) / 3));
  const value = size / 1000 ** power;
  const maximumFractionDigits = power === 0 || value >= 100 ? 0 : 1;
  const unit = units[power] ?? "byte";
  const unitDisplay = power === 0 ? "long" : "short";
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay, maximumFractionDigits }).format(value);
}

/** A day with its time; with its year if it is another one. */
export function instant(iso: string): string {
  const at = new Date(iso);
  const year = at.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  const options = { day: "numeric", month: "short", hour: "numeric", minute: "2-digit", year } as const;
  return new Intl.DateTimeFormat(language, options).format(at);
}
