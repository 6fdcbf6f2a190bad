import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Clock } from '../../process/clock.ts'
import { FairQueue } from './fair-queue.ts'

/** For how long requests are begun in one turn of the event loop, in milliseconds. */
const TURN_MS = 8
/** How many are begun in any case. After each so many, the clock is read. */
const REQUESTS_MIN = 16

type Arrived = Readonly<{ request: IncomingMessage; response: ServerResponse }>

/**
 * Begins a bounded number of requests in one turn of the event loop. Otherwise a thousand clients that send
 * at the same moment would keep answers of nodes from being read, until the requests that wait for them have
 * timed out. Requests above the bound are begun in the next turns; connections take turns (fair-queue.ts).
 */
export function paceRequests(server: Server, clock: Pick<Clock, 'nowMs' | 'defer'>): void {
  const listeners = server.listeners('request') as RequestListener[]
  server.removeAllListeners('request')
  const queue = new FairQueue<Arrived>()
  let begun = 0
  let beganMs = 0
  const isOver = () => begun > 0 && begun % REQUESTS_MIN === 0 && clock.nowMs() - beganMs >= TURN_MS
  let isTurnOver = false
  const begin = ({ request, response }: Arrived): void => {
    if (begun === 0) {
      beganMs = clock.nowMs()
      clock.defer(onTurn)
    }
    begun += 1
    isTurnOver = isOver()
    for (const listener of listeners) listener.call(server, request, response)
  }
  const onTurn = (): void => {
    begun = 0
    isTurnOver = false
    while (!isTurnOver) {
      const arrived = queue.take()
      if (arrived === undefined) break
      begin(arrived)
    }
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const arrived = { request, response }
    if (!isTurnOver && queue.length === 0) return begin(arrived)
    queue.push(request.socket.remoteAddress, request.socket, arrived)
  })
}
