/**
 * Server reflection (`grpcurl` without the .proto file), loaded at the first request for it. Most nodes are
 * never asked, and loading it takes a quarter of the CPU that the start of a node takes.
 */
import { fileURLToPath } from 'node:url'
import type { MethodDefinition, Server, ServerDuplexStream } from '@grpc/grpc-js'
import { status } from '@grpc/grpc-js'

const NODE_PROTO = fileURLToPath(new URL('../../proto/cohort/v1/node.proto', import.meta.url))

/** The packages of the reflection service. Tools ask for `v1` and fall back to `v1alpha`. */
const PACKAGES = ['grpc.reflection.v1', 'grpc.reflection.v1alpha'] as const
type Package = (typeof PACKAGES)[number]

type Call = ServerDuplexStream<Buffer, Buffer>

/**
 * One package of the reflection service as `@grpc/reflection` makes it: how its messages are written, and its
 * answers.
 */
type Reflection = Readonly<{
  method: MethodDefinition<object, object>
  serve: (stream: ReflectionStream) => void
}>

/** The part of a gRPC stream that the implementation uses. */
type ReflectionStream = Readonly<{
  on: (event: 'data' | 'end', listener: (message: object) => void) => void
  write: (message: object) => void
  end: () => void
}>

/**
 * Adds the reflection service. Its streams carry bytes, because the messages are not known before it is
 * loaded.
 */
export function addReflection(server: Server): void {
  for (const name of PACKAGES) {
    const path = `/${name}.ServerReflection/ServerReflectionInfo`
    const method = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    } satisfies MethodDefinition<Buffer, Buffer>
    server.addService({ serve: method }, { serve: (call: Call) => void serve(call, name) })
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes
}

async function serve(call: Call, name: Package): Promise<void> {
  const { method, serve } = (await load()).get(name)!
  serve({
    on: (event, listener) => {
      if (event === 'end') call.on('end', listener)
      else call.on('data', (bytes: Buffer) => answer(bytes, listener))
    },
    write: (message) => call.write(method.responseSerialize(message)),
    end: () => call.end(),
  })

  /** A message that cannot be handled ends its client's stream, and never the process. */
  function answer(bytes: Buffer, listener: (message: object) => void): void {
    try {
      listener(method.requestDeserialize(bytes))
    } catch (error) {
      call.emit('error', { code: status.INVALID_ARGUMENT, details: String(error) })
    }
  }
}

let loading: Promise<ReadonlyMap<Package, Reflection>> | undefined

/** Once per process: what it describes does not change. */
function load(): Promise<ReadonlyMap<Package, Reflection>> {
  loading ??= makeReflections()
  return loading
}

async function makeReflections(): Promise<ReadonlyMap<Package, Reflection>> {
  const [{ loadSync }, { ReflectionService }, { protoPath: healthProto }] = await Promise.all([
    import('@grpc/proto-loader'),
    import('@grpc/reflection'),
    import('grpc-health-check'),
  ])
  const reflections = new Map<Package, Reflection>()
  // The package adds its services to a server; only so can this file get at the answers.
  const collector = {
    addService(
      { ServerReflectionInfo: method }: { ServerReflectionInfo: MethodDefinition<object, object> },
      { ServerReflectionInfo: serve }: { ServerReflectionInfo: Reflection['serve'] },
    ) {
      const name = PACKAGES.find((name) => method.path.startsWith(`/${name}.ServerReflection/`))
      if (name !== undefined) reflections.set(name, { method, serve })
    },
  }
  const described = { ...loadSync(NODE_PROTO), ...loadSync(healthProto) }
  new ReflectionService(described).addToServer(collector as unknown as Server)
  return reflections
}
