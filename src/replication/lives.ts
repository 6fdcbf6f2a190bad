import { LINK_LIMITS, type LinkLimits } from './links/link-limits.ts'

/** How long what a connector holds or has sent may live. */
export type Lives = Readonly<{ viewAgeMsMax: number; linkLimits: LinkLimits }>

/**
 * What keeps the longest life of anything below the grace time of tombstones (protocol.md §6): a view is used
 * for a tenth of it, after the read that gave it (at most a tenth: the settings see to that); an operation
 * that begins with it takes another tenth; its last request waits three tenths at most to be sent, and two
 * for an answer before its stream is given up.
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
