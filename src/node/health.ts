/**
 * Health checks (`grpc.health.v1`), loaded at the first of them: loading the package, which makes its codec
 * out of a .proto file, takes an eighth of the CPU that the start of a node takes.
 */
import {
  type MethodDefinition,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import type { HealthImplementation } from 'grpc-health-check'

const PATH = '/grpc.health.v1.Health'

type Status = 'SERVING' | 'NOT_SERVING'

/** A method as `grpc-health-check` makes it: how its messages are written, and its answers. */
type Method<Handler> = Readonly<{ definition: MethodDefinition<object, object>; handle: Handler }>
type Unary = (call: { request: object }, callback: sendUnaryData<object>) => void
type Watch = (call: {
  request: object
  write: (message: object) => void
  on: (event: 'cancelled', listener: () => void) => void
}) => void

type Loaded = Readonly<{
  implementation: HealthImplementation
  check: Method<Unary>
  list: Method<Unary>
  watch: Method<Watch>
}>

/** What a server answers to health checks. */
export class Health {
  readonly #statuses = new Map<string, Status>()
  #loaded: Loaded | undefined
  #loading: Promise<Loaded> | undefined

  setStatus(service: string, status: Status): void {
    this.#statuses.set(service, status)
    this.#loaded?.implementation.setStatus(service, status)
  }

  /** Adds the service. Its calls carry bytes, because the messages are not known before it is loaded. */
  addToServer(server: Server): void {
    server.addService(
      { check: rawMethod('Check'), list: rawMethod('List'), watch: rawMethod('Watch', true) },
      {
        check: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) =>
          void this.#answer('check', call, callback),
        list: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) =>
          void this.#answer('list', call, callback),
        watch: (call: ServerWritableStream<Buffer, Buffer>) => void this.#watch(call),
      },
    )
  }

  async #answer(
    name: 'check' | 'list',
    call: ServerUnaryCall<Buffer, Buffer>,
    callback: sendUnaryData<Buffer>,
  ): Promise<void> {
    const { definition, handle } = (await this.#load())[name]
    const request = decode(definition, call.request)
    if (request === undefined) callback(MALFORMED)
    else {
      handle({ request }, (error, answer) => {
        callback(error, answer ? definition.responseSerialize(answer) : null)
      })
    }
  }

  async #watch(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
    const { definition, handle } = (await this.#load()).watch
    // Its event would be missed.
    if (call.cancelled) return
    const request = decode(definition, call.request)
    if (request === undefined) {
      call.emit('error', MALFORMED)
      return
    }
    handle({
      request,
      write: (message) => call.write(definition.responseSerialize(message)),
      on: (event, listener) => call.on(event, listener),
    })
  }

  #load(): Promise<Loaded> {
    this.#loading ??= load().then((loaded) => {
      for (const [service, status] of this.#statuses) loaded.implementation.setStatus(service, status)
      this.#loaded = loaded
      return loaded
    })
    return this.#loading
  }
}

const MALFORMED = { code: status.INVALID_ARGUMENT, details: 'the request cannot be read' }

function rawMethod(name: string, responseStream = false): MethodDefinition<Buffer, Buffer> {
  return {
    path: `${PATH}/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes
}

function decode(definition: MethodDefinition<object, object>, bytes: Buffer): object | undefined {
  try {
    return definition.requestDeserialize(bytes)
  } catch {
    return undefined
  }
}

async function load(): Promise<Loaded> {
  const { HealthImplementation: Implementation } = await import('grpc-health-check')
  const implementation = new Implementation()
  let loaded: Loaded | undefined
  // The package adds its service to a server; only so can this file get at the answers.
  const collector = {
    addService(
      definitions: Readonly<Record<'Check' | 'List' | 'Watch', MethodDefinition<object, object>>>,
      handlers: Readonly<{ check: Unary; list: Unary; watch: Watch }>,
    ) {
      loaded = {
        implementation,
        check: { definition: definitions.Check, handle: handlers.check },
        list: { definition: definitions.List, handle: handlers.list },
        watch: { definition: definitions.Watch, handle: handlers.watch },
      }
    },
  }
  implementation.addToServer(collector as unknown as Server)
  return loaded!
}
