/** What a command's exit code means. Scripts rely on these numbers. */
export const EXIT = {
  ok: 0,
  /** The work was not done, or only a part of it. The output says why. */
  failed: 1,
  /** A flag, an argument or a setting cannot be used. Nothing was tried. */
  usage: 2,
  /** The change may have been made, or may still be made. Read before you repeat it. */
  unknown: 3,
  /** All requests are served, but something needs attention. */
  degraded: 4,
  /** No quorum of nodes answers. */
  unavailable: 5,
  /** A node is no longer a member of its cluster. Starting it again does not help. */
  removed: 6,
  /** The work was done, but the answer could not be printed, because of a full disk for example. */
  unprinted: 7,
  /** 128 + SIGINT, as in shells. */
  interrupted: 130,
} as const

/** `EXIT.unprinted` in a help text. */
export const UNPRINTED_HELP = 'done, but the answer could not be printed (a full disk)'

/** The exit codes of the commands about one group, for the end of their help texts. */
export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  not done: refused, not found, no connector answers, or too few nodes answer (503); nothing was changed
  2  a flag, an argument or a setting cannot be used
  3  outcome unknown: the change may have been made; read the group before you repeat it
  7  ${UNPRINTED_HELP}`
