import type { Reply, Request } from '../../register/messages.ts'
import type { NodeLink } from './node-link.ts'

/**
 * Sends a request about a key to one node. Never rejects. `undefined`: no answer will come, because the link
 * has no working stream or has lost the request; the node may still have acted on it.
 *
 * @param isBackground no client waits for the answer: see `PendingRequest`
 */
export function ask(
  link: Pick<NodeLink, 'send'>,
  key: string,
  request: Request,
  { isBackground = false }: Readonly<{ isBackground?: boolean }> = {},
): Promise<Reply | undefined> {
  return new Promise((resolve) => {
    const onLost = (): void => resolve(undefined)
    if (!link.send({ key, request, onAnswer: resolve, onLost, isBackground })) onLost()
  })
}
