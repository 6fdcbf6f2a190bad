import { LINK_LIMITS, type LinkLimits } from './links/link-limits.ts'

/** How long the views and messages of a connector may live. */
export type Lives = Readonly<{ viewAgeMsMax: number; linkLimits: LinkLimits }>

/**
 * The limits that keep the longest possible life below the grace time of tombstones (protocol.md §6). In
 * tenths of the grace time: the read that gives a view takes at most one (the settings ensure that), and the
 * view is used for one. An operation that begins with the view takes one. Its last request waits for at most
 * three to be sent, and for two for an answer before its stream is given up.
 */
export function livesWithin(graceMs: number): Lives {
  return {
    viewAgeMsMax: graceMs / 10,
    linkLimits: {
      ...LINK_LIMITS,
      heartbeatMs: Math.min(LINK_LIMITS.heartbeatMs, graceMs / 20),
      batchTimeoutMs: Math.min(LINK_LIMITS.batchTimeoutMs, graceMs / 5),
    },
  }
}
