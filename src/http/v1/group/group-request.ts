/** What the routes of one group read from a request beside its body. */
import { Type } from 'typebox'
import { GroupId } from '../../../api/group-schemas.ts'
import { GROUP_ID_LENGTH_MAX } from '../../../group/limits.ts'

export const GROUP_PATH = '/v1/group/:groupId'

/** A code point is at most four bytes of UTF-8, each at most three characters (`%F0`) of a path. */
export const PARAM_LENGTH_MAX = GROUP_ID_LENGTH_MAX * 12

export const GroupParams = Type.Object({
  groupId: Type.String({
    ...GroupId,
    description:
      'The id: any Unicode text without control characters, of 1 to 256 characters, which is compared byte for byte. It is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients take such a segment out of the path before they send it.',
  }),
})
