/** What a command's exit code means. Scripts rely on them. */
export const EXIT = {
  ok: 0,
  /** It was not done, or not wholly. What was printed says why. */
  failed: 1,
  /** A flag, an argument or a setting cannot be used. Nothing was tried. */
  usage: 2,
  /** It may have been done, or may yet be. Look before you repeat it. */
  unknown: 3,
  /** All is served, but something is not as it should be. */
  degraded: 4,
  /** No quorum of nodes answers. */
  unavailable: 5,
  /** Of a node: it is no longer a member of its cluster. To start it again changes nothing. */
  removed: 6,
  /** It was done, but the answer could not be printed: a full disk, for example. */
  unprinted: 7,
  /** 128 + SIGINT, as shells say it. */
  interrupted: 130,
} as const

/** `EXIT.unprinted` in a help text. */
export const UNPRINTED_HELP = 'done, but the answer could not be printed (a full disk)'

/** The exit codes of the commands about one group, for the end of their help texts. */
export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  not done: refused, not found, no connector, or (503) not enough nodes; nothing was changed
  2  a flag, an argument or a setting cannot be used
  3  outcome unknown: it may have been done; look before you repeat it
  7  ${UNPRINTED_HELP}`
