/** Fields of a targetable value. The rows come from nine look-ups; operations/target.ts gives all the same shape. */
import { boolean, id, integer, text } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';

/** Field rules of the target. */
export const targetFields: readonly FieldRule[] = [
  { unified: 'id', native: 'lookup.id', codec: id, access: 'read' },
  { unified: 'type', native: 'lookup.type', codec: text(), access: 'read' },
  { unified: 'name', native: 'lookup.name', codec: text(), access: 'read' },
  { unified: 'parent_id', native: 'lookup.parent', codec: id, access: 'read' },
  { unified: 'is_active', native: 'lookup.active', codec: boolean, access: 'read' },
  {
    unified: 'audience_count_min',
    native: 'lookup.count',
    codec: integer(),
    access: 'read',
    note: 'Size of a custom audience (cover_num).',
  },
  { unified: 'audience_count_max', native: 'lookup.count', codec: integer(), access: 'read' },
];
