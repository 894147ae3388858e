/** Devices, with any extension: `nul.txt` is one too. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?$/i

/**
 * Why one part of a path cannot name a file on Windows, or would name another one than it says; undefined when it can.
 * Asked on Windows only: elsewhere `12:30.csv` and `aux` are names like any other, and archives have such files.
 */
export function whyNotOnWindows(part: string): string | undefined {
  if (part.includes('\\')) return 'contains a backslash, which separates folders on Windows'
  if (part.includes(':')) return 'contains a colon, which names a drive or a stream on Windows'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[<>"|?*\x00-\x1f]/.test(part)) return 'contains a character that no Windows name may have'
  if (/[. ]$/.test(part)) return 'ends in a dot or a space, which Windows cuts off'
  return DEVICE.test(part) ? 'is the name of a device on Windows' : undefined
}
