/** What the comparison asks of each system. */
import type { Histogram } from '../statistics.ts'

/** What clients do. `change`: all of them change one and the same group, and no change is lost. */
export type Work = 'create' | 'read' | 'change'

/** One turn of closed-loop clients: each sends its next request when it has the answer to the last one. */
export type Turn = Readonly<{
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** The CPU time of the load generator for each request, in µs, where it is a process of its own (wrk). */
  loadUs?: number
}>

/**
 * What happens to a member. `kill`: SIGKILL. `stop`: SIGSTOP. It is the member whose loss has the largest
 * effect.
 */
export type Event = 'kill' | 'stop'

/**
 * What clients saw of an event: `isOver` is false if nothing succeeded any more until the end of the watch.
 */
export type Outage = Readonly<{ gapMs: number; failed: number; succeeded: number; isOver: boolean }>

export interface Peer {
  readonly name: string
  /** A description of the system, for the report. */
  readonly description: string
  /** Makes groups to read, `seed-1` to `seed-<count>`, and the one that is changed. */
  seed(count: number): Promise<void>
  /** Rejects if a request failed: a figure with failures in it would not mean anything. */
  turn(work: Work, options: Readonly<{ clients: number; seconds: number }>): Promise<Turn>
  /** Latencies from the moment when a request was due, whether or not it could be sent then. */
  openLoop(
    work: 'create' | 'read',
    options: Readonly<{ perSecond: number; seconds: number }>,
  ): Promise<Histogram>
  /** Kills a member that is not needed. The others go on working. */
  loseMember(): Promise<void>
  /** Starts the killed member, and waits until the system is complete. */
  heal(): Promise<void>
  /**
   * Creates from 16 clients, with the event after a second, then watched for `seconds`; healed at the end.
   */
  outage(event: Event, seconds: number): Promise<Outage>
  close(): Promise<void>
}

/** How many clients load a system while an event is watched. */
export const OUTAGE_CLIENTS = 16

/** How long they run before the event. */
export const BEFORE_EVENT_MS = 1_000

/** The ids of groups that were not there before: each call makes another row of them. */
export class FreshIds {
  #rows = 0

  /** `next(0)`, `next(1)`, … are ids of one row. */
  row(): (index: number) => string {
    this.#rows += 1
    const prefix = `row${this.#rows}-`
    return (index) => prefix + index
  }
}

/** The number of connections of an open loop. Half of the throughput of 64 closed clients needs fewer. */
export const OPEN_LOOP_CONNECTIONS = 64

/** Requests of an open loop that are due in its first seconds do not count: connections are opened then. */
export const OPEN_LOOP_WARM_SECONDS = 2

/**
 * What every side stores for a group: as many bytes as Cohort stores, made in advance where the client has to
 * send them.
 */
export function storedGroup(groupId: string): string {
  return `{"groupId":"${groupId}","version":1,"incarnation":"b4715ac89f77c037-2ig","createdAt":"2026-11-25T13:09:26.007Z","updatedAt":"2026-11-25T13:09:26.007Z"}`
}
