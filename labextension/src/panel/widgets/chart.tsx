/** A chart: the part that draws it; until that is there, its size. Responsible for the room it takes. */
import { type ViewProps, useHost, useLoaded } from './scope';
import { blockStyle } from './style';

export function Chart({ node }: ViewProps) {
  const { trans } = useHost();
  const part = useLoaded('charts');
  return (
    <div class="vk-w-chart" style={blockStyle(node)}>
      {part ? <part.ChartView node={node} trans={trans} /> : <p class="vk-w-caption">{trans.__('A chart')}</p>}
    </div>
  );
}
