/**
 * Asks a node over grpc.health.v1 whether it serves, for container health checks: exit code 0 for yes, 1 for
 * no or no answer.
 *
 *   node src/node/health-check.ts 127.0.0.1:8001
 */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { service } from 'grpc-health-check'
import { destinationOf } from '../process/destination.ts'
import { LineOutput } from '../process/line-output.ts'
import { CLIENT_OPTIONS } from '../rpc/channel-options.ts'

/**
 * Below the timeout of the health checks in docker-compose.yml, so that this program can say what is wrong.
 */
const TIMEOUT_MS = 4_000

const [address] = process.argv.slice(2)
if (address === undefined) {
  print(2, 'name the node to ask, as host:port')
  process.exit(2)
}

const client = new Client(address, credentials.createInsecure(), CLIENT_OPTIONS)
const { path, requestSerialize, responseDeserialize } = service.Check!
client.makeUnaryRequest(
  path,
  requestSerialize,
  (bytes) => responseDeserialize(bytes) as { status: string },
  { service: '' },
  { deadline: Date.now() + TIMEOUT_MS },
  (error: ServiceError | null, answer) => {
    client.close()
    const status = error?.message ?? answer?.status ?? 'UNKNOWN'
    print(1, `${address} ${status}`)
    process.exitCode = status === 'SERVING' ? 0 : 1
  },
)

/**
 * Output that cannot be written does not change the exit code, because a health check is judged by its exit
 * code.
 */
function print(descriptor: 1 | 2, line: string): void {
  new LineOutput(destinationOf(descriptor), () => '').write(`${line}\n`)
}
