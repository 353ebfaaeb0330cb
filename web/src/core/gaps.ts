// Bytes that are not shown, in words.

export interface Gap {
  start: number;
  end: number;
  reason: string;
}

const REASONS: Record<string, string> = {
  cleared: "they were cleared",
  forgotten: "they were forgotten",
  lost: "they were lost",
  overflowed: "they came faster than they could be kept",
  pruned: "they are older than what is kept",
  skipped: "they came faster than this page could show them",
  torn: "they were lost in a crash",
};

/** Return the words for bytes that are missing: "1,024 bytes are not shown: they were cleared". */
export function missingText(bytes: number, reason: string): string {
  const number = bytes === 1 ? "1 byte is" : `${bytes.toLocaleString("en")} bytes are`;
  return `${number} not shown: ${REASONS[reason] ?? reason}`;
}

/** Return the line that marks a gap inside a terminal, in colours swapped and on a line of its own. */
export function gapLine(gap: Gap): string {
  const text = missingText(gap.end - gap.start, gap.reason);
  return `\x1b[0m\r\n\x1b[7m ${text} \x1b[27m\r\n`;
}
