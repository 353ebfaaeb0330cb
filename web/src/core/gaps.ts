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

/** Return the words for a gap, as "1,024 bytes are not shown here: they were cleared". */
export function gapText(gap: Gap): string {
  const size = gap.end - gap.start;
  const bytes = size === 1 ? "1 byte is" : `${size.toLocaleString("en")} bytes are`;
  return `${bytes} not shown here: ${REASONS[gap.reason] ?? gap.reason}`;
}

/** Return the line that marks a gap inside a terminal, in colours swapped and on a line of its own. */
export function gapLine(gap: Gap): string {
  return `\x1b[0m\r\n\x1b[7m ${gapText(gap)} \x1b[27m\r\n`;
}
