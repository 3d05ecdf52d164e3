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
  left: "Downloads left",
  password: "Password",
  enter: "Open",
  wrongPassword: "This password is wrong. Check upper and lower case, then try again.",
  command: "From a command line",
  once: "Your download counts once. If it stops early, you can continue it for an hour.",
  visit: "Your visit lasts for an hour.",
  visitOnce: "Your visit counts once and lasts for an hour.",
  taken: "You have already started this download. Press the button to continue or repeat it.",
  more: "Next entries",
  up: "Up",
  empty: "This folder is empty.",
  truncated: "Only the first 10,000 entries are shown.",
  preview: "Preview",
  unknown: "This link does not exist",
  unknownText: "Check that you copied the whole address. If it is complete, ask the sender for a new link.",
  expired: "This link has expired",
  expiredText: "Ask the sender for a new link.",
  usedUp: "This link is used up",
  usedUpText: "All its downloads have been used. Ask the sender for a new link.",
  revoked: "This link was withdrawn",
  revokedText: "If you still need the file, ask the sender for a new link.",
  changed: "The file was changed or removed",
  changedText: "Ask the sender for a new link.",
  notYet: "This link is not valid yet",
  notYetText: "You can open it from this time:",
  busy: "Another person is opening this link",
  busyText: "Try again in two minutes.",
  tooMany: "Too many attempts",
  tooManyText: "Wait ten minutes, then try again.",
  lapsed: "This download was not started in time",
  lapsedText: "Open the link again and start the download.",
  network: "This link does not open from your network",
  networkText: "Ask the sender which network you can use.",
  away: "The server cannot open links right now",
  awayText: "Try again in a few seconds.",
  overBudget: "The data limit of this link is reached",
  overBudgetText: "Ask the sender for a new link.",
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
  zip: "Alles als Zip-Datei herunterladen",
  size: "Größe",
  type: "Typ",
  date: "Geändert",
  name: "Name",
  files: "Dateien",
  folder: "Ordner",
  expires: "Verfügbar bis",
  from: "Geteilt von",
  note: "Notiz",
  left: "Verbleibende Downloads",
  password: "Passwort",
  enter: "Öffnen",
  wrongPassword: "Das Passwort ist falsch. Prüfen Sie Groß- und Kleinschreibung und versuchen Sie es noch einmal.",
  command: "Auf der Kommandozeile",
  once: "Ihr Download zählt einmal. Wenn er abbricht, können Sie ihn eine Stunde lang fortsetzen.",
  visit: "Ihr Besuch dauert eine Stunde.",
  visitOnce: "Ihr Besuch zählt einmal und dauert eine Stunde.",
  taken: "Sie haben diesen Download schon begonnen. Mit dem Knopf setzen Sie ihn fort oder wiederholen ihn.",
  more: "Weitere Einträge",
  up: "Nach oben",
  empty: "Dieser Ordner ist leer.",
  truncated: "Nur die ersten 10.000 Einträge werden angezeigt.",
  preview: "Vorschau",
  unknown: "Diesen Link gibt es nicht",
  unknownText: "Prüfen Sie, ob die Adresse vollständig ist. Wenn ja, bitten Sie den Absender um einen neuen Link.",
  expired: "Dieser Link ist abgelaufen",
  expiredText: "Bitten Sie den Absender um einen neuen Link.",
  usedUp: "Dieser Link ist aufgebraucht",
  usedUpText: "Alle Downloads wurden genutzt. Bitten Sie den Absender um einen neuen Link.",
  revoked: "Dieser Link wurde zurückgezogen",
  revokedText: "Wenn Sie die Datei noch brauchen, bitten Sie den Absender um einen neuen Link.",
  changed: "Die Datei wurde geändert oder entfernt",
  changedText: "Bitten Sie den Absender um einen neuen Link.",
  notYet: "Dieser Link ist noch nicht gültig",
  notYetText: "Sie können ihn ab dieser Zeit öffnen:",
  busy: "Eine andere Person öffnet gerade diesen Link",
  busyText: "Versuchen Sie es in zwei Minuten noch einmal.",
  tooMany: "Zu viele Versuche",
  tooManyText: "Warten Sie zehn Minuten und versuchen Sie es dann noch einmal.",
  lapsed: "Dieser Download wurde nicht rechtzeitig gestartet",
  lapsedText: "Öffnen Sie den Link noch einmal und starten Sie den Download.",
  network: "Dieser Link funktioniert nicht in Ihrem Netz",
  networkText: "Fragen Sie den Absender, welches Netz Sie nutzen können.",
  away: "Der Server kann gerade keine Links öffnen",
  awayText: "Versuchen Sie es in einigen Sekunden noch einmal.",
  overBudget: "Das Datenlimit dieses Links ist erreicht",
  overBudgetText: "Bitten Sie den Absender um einen neuen Link.",
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
