using TorchSharp;

namespace WeakLink.Attacks;

/// <summary>Repeated runs of an attack, each on the images that the model still gets right.</summary>
internal static class RemainingImages
{
    /// <summary>One run on some images.</summary>
    /// <param name="run">Its number.</param>
    /// <param name="images">The images that are left.</param>
    /// <param name="labels">Their labels.</param>
    /// <param name="positions">Their positions in the batch, int64.</param>
    /// <param name="draws">Their draws.</param>
    public delegate torch.Tensor Run(int run, torch.Tensor images, torch.Tensor labels, torch.Tensor positions, AttackDraws draws);

    /// <summary>Runs until every image is broken or there are no more runs.</summary>
    /// <returns>For each image the broken one, or else the try that left the smallest margin.</returns>
    public static torch.Tensor Search(AttackedModel model, torch.Tensor images, torch.Tensor labels, AttackDraws draws, int runs, Run run)
    {
        using var scope = torch.NewDisposeScope();
        var result = images.clone();
        var margins = torch.full([images.shape[0]], double.PositiveInfinity, device: images.device);
        for (var i = 0; i < runs; i++)
        {
            using var iteration = torch.NewDisposeScope();
            var positions = margins.gt(0).nonzero().squeeze(1);
            if (positions.shape[0] == 0)
            {
                break;
            }

            var (x, y) = (images.index_select(0, positions), labels.index_select(0, positions));
            var tried = run(i, x, y, positions, draws.Of(positions.cpu().data<long>().ToArray()));
            var margin = AttackLoss.Margin(model.Logits(tried), y);
            var better = margin.lt(margins.index_select(0, positions));
            var improved = positions[better];
            result.index_copy_(0, improved, tried[better]);
            margins.index_copy_(0, improved, margin[better]);
        }

        return result.MoveToOuterDisposeScope();
    }
}
