using WeakLink.Data;
using WeakLink.Imaging;
using WeakLink.Sources;

namespace WeakLink.Recipes;

/// <summary>Batches as a recipe wants them: where training and every measurement get their images, so a recipe that <see cref="RecipeCheck"/> refuses is refused here.</summary>
public static class Loaders
{
    // More workers than this only wait for the step.
    private const int MostWorkers = 8;

    /// <summary>Augmented images for training, extra ones among them.</summary>
    /// <exception cref="InputException">The crop does not fit into the images.</exception>
    public static BatchLoader Training(Recipe recipe, DataSplits data) => Training(recipe, data, Workers(recipe));

    /// <summary>The same, prepared by so many threads.</summary>
    internal static BatchLoader Training(Recipe recipe, DataSplits data, int workers) => new(
        data.Train, AugmentationSequence.Views(recipe, data.Train.Height, data.Train.Width), recipe.Training.Batch, workers, data.Extra, balanced: recipe.Training.ClassBalance == ClassBalancing.Sampling);

    /// <summary>Training images for a subnet's statistics and for the search of weak subnets in an evaluation: cropped at random, but like the test images otherwise.</summary>
    /// <exception cref="InputException">The crop does not fit into the images.</exception>
    public static BatchLoader Recalibrating(Recipe recipe, Dataset images)
    {
        var sequence = recipe.Augmentation.Sequence;
        return new(images, Crop(recipe, images, sequence.Contains(AugmentationSequence.Crop) ? recipe.Augmentation.Padding : 0, flip: sequence.Contains(AugmentationSequence.Flip)), recipe.Training.Batch, Workers(recipe));
    }

    /// <summary>Centre crops, in order, for measuring.</summary>
    /// <exception cref="InputException">The crop does not fit into the images.</exception>
    public static BatchLoader Measuring(Recipe recipe, Dataset images) =>
        new(images, Crop(recipe, images, 0, flip: false), recipe.Evaluation.Batch, Workers(recipe));

    /// <summary>Images as they are, in order.</summary>
    public static BatchLoader Whole(Recipe recipe, Dataset images, int batch) => new(images, new CropAndFlip(images.Height, images.Width, 0, Flip: false), batch, Workers(recipe));

    /// <summary>What the network sees of an image that it is measured on.</summary>
    /// <exception cref="InputException">The crop does not fit into the images.</exception>
    public static CentreCrop MeasuringCrop(Recipe recipe, Dataset images)
    {
        var (height, width) = Seen(recipe, images);
        return BatchLoader.Centre(images, height, width);
    }

    /// <summary>What becomes of an image file before a network that was trained by a recipe sees it.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="size">Size of the images before cropping.</param>
    /// <exception cref="InputException">The crop does not fit into the images.</exception>
    public static ImagePreparation Preparation(Recipe recipe, ImageSize size) => recipe.Augmentation.Crop is > 0 and var crop
        ? new ImagePreparation(size.Height, size.Width, crop, crop) { Filter = recipe.Data.Filter }
        : new ImagePreparation(size.Height, size.Width) { Filter = recipe.Data.Filter };

    private static CropAndFlip Crop(Recipe recipe, Dataset images, int padding, bool flip)
    {
        var (height, width) = Seen(RecipeCheck.Check(recipe), images);
        return new CropAndFlip(height, width, padding, flip);
    }

    private static (int Height, int Width) Seen(Recipe recipe, Dataset images) => recipe.Augmentation.Crop is > 0 and var side ? (side, side) : (images.Height, images.Width);

    /// <summary>Threads that prepare images.</summary>
    internal static int Workers(Recipe recipe) => recipe.Training.Workers > 0 ? recipe.Training.Workers : Math.Min(Environment.ProcessorCount, MostWorkers);
}
