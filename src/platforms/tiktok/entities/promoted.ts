/** Fields of a promoted thing. The rows come from five lists; operations/promoted.ts gives all the same shape. */
import { id, text } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';

/** Field rules of the promoted thing. */
export const promotedFields: readonly FieldRule[] = [
  { unified: 'id', native: 'lookup.id', codec: id, access: 'read' },
  { unified: 'type', native: 'lookup.type', codec: text(), access: 'read' },
  { unified: 'name', native: 'lookup.name', codec: text(), access: 'read' },
];
