/** The texts of the pages. Every language has every text: the type checker sees a missing one. */

const en = {
  title: "Shared file",
  download: "Download",
  open: "Open",
  view: "View",
  zip: "Download all as a zip",
  size: "Size",
  type: "Type",
  date: "Changed",
  name: "Name",
  files: "Files",
  folder: "Folder",
  expires: "Available until",
  from: "Shared by",
  note: "Note",
  left: "Deliveries left",
  password: "Password",
  enter: "Open",
  wrongPassword: "This password is wrong. Check upper and lower case, then try again.",
  command: "From a command line",
  once: "Your download counts once. You can pause it, resume it and repeat it for an hour.",
  taken: "You took this download. You can repeat it until it ends.",
  more: "Next entries",
  up: "Up",
  empty: "This folder is empty.",
  truncated: "Only the first 10,000 entries are sorted.",
  preview: "Preview",
  unknown: "This link does not exist",
  unknownText: "Check that you copied the whole address. If you did, ask the sender for a new link.",
  expired: "This link has expired",
  expiredText: "Ask the sender for a new link.",
  usedUp: "This link is used up",
  usedUpText: "It was made for a limited number of downloads. Ask the sender for another one.",
  revoked: "This link was withdrawn",
  revokedText: "The sender took it back. Ask the sender if you still need the file.",
  changed: "The file has changed",
  changedText: "It is not the file that was shared with you. Ask the sender for a new link.",
  notYet: "This link is not open yet",
  notYetText: "Come back at the time below.",
  busy: "Somebody else is opening this link",
  busyText: "Try again in two minutes.",
  tooMany: "Too many attempts",
  tooManyText: "Wait ten minutes, then try again.",
  lapsed: "This download was not started in time",
  lapsedText: "Open the link again and press the button.",
  network: "This link does not open from your network",
  networkText: "Ask the sender from which network it opens.",
  away: "The server cannot open links right now",
  awayText: "Try again in a few seconds.",
  overBudget: "This link has no bytes left",
  overBudgetText: "It was made for a limited amount of data. Ask the sender for another one.",
} as const;

/** The name of a text. */
export type MessageName = keyof typeof en;
/** The texts of one language. */
export type Messages = Readonly<Record<MessageName, string>> & { readonly language: string };

const de: Readonly<Record<MessageName, string>> = {
  title: "Geteilte Datei",
  download: "Herunterladen",
  open: "Öffnen",
  view: "Ansehen",
  zip: "Alles als Zip herunterladen",
  size: "Größe",
  type: "Typ",
  date: "Geändert",
  name: "Name",
  files: "Dateien",
  folder: "Ordner",
  expires: "Verfügbar bis",
  from: "Geteilt von",
  note: "Notiz",
  left: "Verbleibende Abrufe",
  password: "Passwort",
  enter: "Öffnen",
  wrongPassword: "Das Passwort ist falsch. Prüfen Sie Groß- und Kleinschreibung und versuchen Sie es noch einmal.",
  command: "Auf der Kommandozeile",
  once: "Ihr Abruf zählt einmal. Sie können ihn eine Stunde lang anhalten, fortsetzen und wiederholen.",
  taken: "Sie haben diesen Abruf begonnen. Sie können ihn wiederholen, bis er endet.",
  more: "Weitere Einträge",
  up: "Nach oben",
  empty: "Dieser Ordner ist leer.",
  truncated: "Nur die ersten 10.000 Einträge sind sortiert.",
  preview: "Vorschau",
  unknown: "Diesen Link gibt es nicht",
  unknownText: "Prüfen Sie, ob die Adresse vollständig ist. Sonst bitten Sie den Absender um einen neuen Link.",
  expired: "Dieser Link ist abgelaufen",
  expiredText: "Bitten Sie den Absender um einen neuen Link.",
  usedUp: "Dieser Link ist aufgebraucht",
  usedUpText: "Er galt für eine begrenzte Zahl von Abrufen. Bitten Sie den Absender um einen weiteren.",
  revoked: "Dieser Link wurde zurückgezogen",
  revokedText: "Der Absender hat ihn zurückgenommen. Fragen Sie ihn, wenn Sie die Datei noch brauchen.",
  changed: "Die Datei wurde geändert",
  changedText: "Es ist nicht mehr die Datei, die mit Ihnen geteilt wurde. Bitten Sie den Absender um einen neuen Link.",
  notYet: "Dieser Link ist noch nicht offen",
  notYetText: "Kommen Sie zur unten genannten Zeit wieder.",
  busy: "Dieser Link wird gerade von jemand anderem geöffnet",
  busyText: "Versuchen Sie es in zwei Minuten noch einmal.",
  tooMany: "Zu viele Versuche",
  tooManyText: "Warten Sie zehn Minuten und versuchen Sie es dann noch einmal.",
  lapsed: "Dieser Abruf wurde nicht rechtzeitig begonnen",
  lapsedText: "Öffnen Sie den Link noch einmal und drücken Sie den Knopf.",
  network: "Dieser Link öffnet sich nicht aus Ihrem Netz",
  networkText: "Fragen Sie den Absender, aus welchem Netz er sich öffnet.",
  away: "Der Server kann gerade keine Links öffnen",
  awayText: "Versuchen Sie es in einigen Sekunden noch einmal.",
  overBudget: "Dieser Link hat keine Bytes mehr",
  overBudgetText: "Er galt für eine begrenzte Datenmenge. Bitten Sie den Absender um einen weiteren.",
};

const languages: readonly Messages[] = [
  { ...en, language: "en" },
  { ...de, language: "de" },
];

/** The texts in the language that a browser prefers; English if it names no other known one. */
export function messagesFor(acceptLanguage: string | undefined): Messages {
  const wanted = (acceptLanguage ?? "")
    .split(",")
    .map((range) => {
      const [tag = "", ...parameters] = range.trim().toLowerCase().split(";");
      const quality = parameters.map((text) => /^\s*q=([\d.]+)\s*$/.exec(text)?.[1]).find(Boolean);
      return { language: tag.split("-")[0], quality: Number(quality ?? 1) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  const known = wanted.map((one) => languages.find(({ language }) => language === one.language)).find(Boolean);
  return known ?? (languages[0] as Messages);
}
